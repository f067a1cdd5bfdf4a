"""A step gets the event, the outputs of the steps before, and who runs this attempt, as JSON on stdin.

What it prints is its output, stderr its log. Exit code 65 fails it for good; after any other it is tried again.
"""

import json
import sys

step = json.load(sys.stdin)
name = step["event"]["data"].get("name", "world")
print(f"greeting {name}, attempt {step['ctx']['attempt']}", file=sys.stderr)
print(json.dumps({"text": f"Hello, {name}!"}))
