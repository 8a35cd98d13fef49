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

if python -c 'import mlx_lm' 2>/dev/null; then
    printf '\n# A real mlx_lm.server with a tiny random model: nonsense over the true protocol.\n'
    python -m tests.support.with_mlx_server sh -c '
        printf "\n\033[1m$ export MLX_BASE_URL=%s\033[0m\n" "$MLX_BASE_URL"
        printf "\033[1m$ aldo chat --class local-reasoning --privacy sensitive --max-tokens 40 \"Hello\"\033[0m\n"
        aldo chat --class local-reasoning --privacy sensitive --max-tokens 40 "Hello"'
else
    printf '\n# No mlx_lm here, so no model to talk to. Install it with: pip install "aldo-gateway[mlx]"\n'
fi
