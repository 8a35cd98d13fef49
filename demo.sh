#!/bin/sh
# The main job on the shipped catalog, each step as a user would type it. Run by `make demo`.
set -eu

step() {
    printf '\n\033[1m$ %s\033[0m\n' "$*"
    "$@"
}

step aldo lint models.yaml

printf '\n# A file with a defect of each family (exit code 1), and what can be mended in it:\n'
step aldo lint --statistics tests/cases/catalogs/families.yaml || test $? -eq 1
step aldo lint --diff --unsafe tests/cases/catalogs/families.yaml || test $? -eq 1

step aldo models list --privacy sensitive

printf '\n# Statements about routing, decided for every possible request:\n'
step aldo prove policy.yaml
step aldo prove
step aldo test
step aldo route --class local-reasoning --privacy sensitive --requires tool-use
step aldo route --class reasoning-large --privacy internal --tokens-in 150000 --explain
step aldo route --class reasoning-large --privacy sensitive --why-not openai-gpt-6.1-sol

printf '\n# A refusal says what would help (exit code 1):\n'
step aldo route --class coding-frontier --privacy sensitive --requires vision || test $? -eq 1

printf '\n# Two layers over the catalog: who set a price, and what they change:\n'
step aldo catalog explain openai-gpt-6-luna.cost.usdPerMtokIn --overlay examples/company.yaml --overlay examples/mine.yaml
step aldo diff models.yaml models.yaml --head-overlay examples/company.yaml

if python -c 'import xllamacpp' 2>/dev/null; then
    printf '\n# A real llama.cpp server with a small model: found, asked, audited.\n'
    python -m tests.support.with_llamacpp_server sh examples/live.sh
else
    printf '\n# No llama.cpp server here, so no model to talk to.\n'
fi
