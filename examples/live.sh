#!/bin/sh
# The part of the demo that talks to a model. LLAMACPP_BASE_URL says where its server is.
set -eu

found=$(mktemp)
logs=$(mktemp -d)
trap 'rm -rf "$found" "$logs"' EXIT

step() {
    printf '\n\033[1m$ %s\033[0m\n' "$*"
    "$@"
}

printf '\n\033[1m$ aldo models discover > found.yaml\033[0m\n'
ALDO_LOCAL_DISCOVERY=llamacpp aldo models discover > "$found"
cat "$found"
export ALDO_OVERLAYS="$found"

printf '\n# Are its claims true?\n'
step aldo models audit smollm2-135m-instruct || test $? -eq 1

step aldo chat --class local-reasoning --privacy sensitive --pin smollm2-135m-instruct \
    --max-tokens 40 --temperature 0 'What is the capital of France? Answer in one sentence.'

printf '\n# An answer whose form is checked, whatever the server made of it:\n'
step aldo chat --class local-reasoning --privacy sensitive --pin smollm2-135m-instruct \
    --max-tokens 60 --temperature 0 --schema examples/city.schema.json 'Which city is the capital of France?'

printf '\n# How good is it? Twelve easy questions, graded, with intervals:\n'
step aldo eval run agency/agents/code-reviewer.yaml --model smollm2-135m-instruct --suite suites/smoke.yaml \
    --log "$logs/smoke.jsonl" || test $? -eq 1

printf '\n# The same model behind the gateway, for any OpenAI client:\n'
port=$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf '\033[1m$ aldo serve --port %s &\033[0m\n' "$port"
aldo serve --port "$port" 2> "$logs/serve.log" &
gateway=$!
trap 'kill "$gateway" 2>/dev/null || true; rm -rf "$found" "$logs"' EXIT
tries=0
until python -c "from urllib.request import urlopen; urlopen('http://127.0.0.1:$port/health')" 2>/dev/null; do
    tries=$((tries + 1))
    test "$tries" -lt 100 || { cat "$logs/serve.log"; exit 1; }
    sleep 0.2
done
cat "$logs/serve.log"
step python examples/ask_gateway.py "http://127.0.0.1:$port/v1" local-reasoning sensitive 'What is the capital of France? Answer in one sentence.'
kill "$gateway"
wait "$gateway" 2>/dev/null || true
