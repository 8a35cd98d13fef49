"""Ask a running gateway as any HTTP client could: `python examples/ask_gateway.py URL MODEL TIER "Say something."`"""

import json
import sys
from urllib.request import Request, urlopen

url, model, tier, prompt = sys.argv[1:]
body = {"model": model, "messages": [{"role": "user", "content": prompt}], "max_tokens": 40, "temperature": 0}
headers = {"content-type": "application/json", "x-aldo-privacy": tier}
with urlopen(Request(f"{url}/chat/completions", json.dumps(body).encode(), headers), timeout=120) as answer:
    said = json.load(answer)["choices"][0]["message"]["content"]
    print(f"{answer.headers['x-aldo-model']} ({answer.headers['x-aldo-class']}): {said}")
