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
