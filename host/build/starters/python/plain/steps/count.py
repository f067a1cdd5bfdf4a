import json
import sys

step = json.load(sys.stdin)
print(json.dumps({"letters": len(step["steps"]["greet"]["text"])}))
