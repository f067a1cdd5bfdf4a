import json
import sys
import textwrap

step = json.load(sys.stdin)
text = step["event"]["data"]["text"]
top = step["steps"]["rank"]["top"]
print(f"{len(text)} characters", file=sys.stderr)

lines = textwrap.wrap(text, 40)
lines += [f"{word['count']} × {word['word']}" for word in top]
lines.append(f"crc32 {step['steps']['checksum']['crc32']}")
print(json.dumps({"lines": lines}, ensure_ascii=False))
