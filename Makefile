# Everything a contributor types. `make help` lists it; each target works on a fresh clone.
# What it needs beforehand: make, Python 3.11 or newer with venv. See scripts/system-packages.sh.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/pytest -q -n logical
SCRIPTS := $(wildcard scripts/*.py)

# Byte code is part of what is measured: without it each start compiles the program again.
unexport PYTHONDONTWRITEBYTECODE
# What a developer's shell may hold must not choose what is imported.
unexport PYTHONPATH PYTHONHOME
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo dev lint check fix test nightly bench docs dist audit ci requirements clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.installed ## show what it does, in a place of its own that is removed afterwards
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash scripts/demo.sh

dev: $(VENV)/.dev ## make the virtual environment with everything that development needs

lint: $(VENV)/.dev ## format, lint, types, layers, generated files (changes nothing)
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy --no-error-summary openclaw_cli tests $(SCRIPTS)
	@$(BIN)/lint-imports --no-cache > $(VENV)/lint-imports.log || { cat $(VENV)/lint-imports.log; exit 1; }
	@if [ -f scripts/generate.py ]; then $(BIN)/python scripts/generate.py --check; fi

check: lint ## lint and the fast tests: under a minute, before each commit
	@$(PYTEST) -m "not slow and not integration and not nightly"

fix: $(VENV)/.dev ## format, and mend what ruff can mend
	@$(BIN)/ruff check --fix --quiet || true
	@$(BIN)/ruff format

test: $(VENV)/.dev ## every test but the nightly ones; installs the programs they need (apt, npm)
	@bash scripts/system-packages.sh tests
	@bash scripts/openclaw-gateway.sh
	@OPENCLAW_REQUIRE=all $(PYTEST) -m "not nightly"

nightly: $(VENV)/.dev ## every test, exhaustive products and 20,000 examples a property
	@bash scripts/system-packages.sh tests
	@bash scripts/openclaw-gateway.sh
	@bash scripts/openclaw-gateway.sh 2026.2.26
	@OPENCLAW_REQUIRE=all OPENCLAW_NIGHTLY=1 $(PYTEST) -m ""

bench: $(VENV)/.dev ## measure, and print a table
	@$(BIN)/python -m tests.bench

docs: $(VENV)/.dev ## write the generated pages, man pages and completions
	@$(BIN)/python scripts/generate.py

dist: $(VENV)/.dev ## build wheel and source archive, twice and the same, with what is in them
	@$(BIN)/python scripts/build.py dist

audit: ## ask whether a locked dependency has a known hole (needs the network)
	@.build/audit/bin/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear .build/audit
	@.build/audit/bin/python -m pip install --quiet --require-hashes -r requirements/audit.txt
	@for file in build runtime; do \
	    .build/audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements/$$file.txt || exit 1; \
	done

ci: lint test ## what .ci/run runs

# --- set-up ---------------------------------------------------------------------------------

# The project is installed "editable": one .pth file with one path, so that commands and tests
# always run the source as it stands. It costs 1.01x of `bin/python -c pass` (median of 1,000
# interleaved pairs; 1.0097x in instructions), and no import hook. setuptools, which a venv of
# Python 3.11 brings, has a .pth file that costs 1.03x, and goes.
$(VENV)/.installed: requirements/build.txt requirements/runtime.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "setting up $(VENV)"
	@$(BIN)/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/build.txt
	@$(BIN)/python -m pip uninstall --quiet --yes setuptools 2>/dev/null
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/runtime.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q openclaw_cli
	@touch $@

$(VENV)/.dev: $(VENV)/.installed requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

# Names and bounds stand in pyproject.toml; versions and hashes here. `UPGRADE=--upgrade` takes
# newer versions, without it only what must change does.
UV = .build/lock/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 $(UPGRADE) \
    --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
    --custom-compile-command "make requirements"
requirements: ## lock the dependencies again, with hashes (UPGRADE=--upgrade for newer ones)
	@.build/lock/bin/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear .build/lock
	@.build/lock/bin/python -m pip install --quiet --require-hashes -r requirements/lock.txt
	@$(UV) --group lock -o requirements/lock.txt
	@$(UV) --group build -o requirements/build.txt
	@$(UV) --group audit -o requirements/audit.txt
	@$(UV) pyproject.toml -o requirements/runtime.txt
	@$(UV) pyproject.toml --all-extras --group dev -c requirements/runtime.txt -o requirements/dev.txt

clean: ## remove everything that was made here
	rm -rf $(VENV) .build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find openclaw_cli tests scripts -name __pycache__ -prune -exec rm -rf {} +
