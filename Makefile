# Farebox: `make` alone says what there is. Needs Python 3.11 or later and make, nothing else.

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
# Stamps: what is installed is as new as the files that say what to install.
MADE := $(VENV)/.made
RUN := $(VENV)/.run
DEV := $(VENV)/.dev
BUILT_FROM := pyproject.toml requirements/build.txt

# The locked files name every package with its hash, so nothing is left to resolve.
PIP_INSTALL := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet --no-deps
PROJECT := --no-build-isolation --editable .
# Makes the dashboard's scripts, if their sources have changed since.
BUNDLE := $(BIN)/python src/farebox/dashboard/frontend/bundle.py

# Tests start hundreds of programs: what one of them has compiled, the others need not.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test long sim check cover bench screenshots docs lock clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(RUN) ## Install what is needed and serve the demo on http://127.0.0.1:8080
	@$(BUNDLE)
	@$(BIN)/farebox demo $(ARGS)

test: $(DEV) ## Install what is needed and run every test; ARGS="-k grants" picks some
	@$(BUNDLE)
	@$(BIN)/pytest -n 3 --dist worksteal $(ARGS)

long: $(DEV) ## Run the tests that take minutes: more power cuts, kills and examples
	@$(BIN)/pytest -m long $(ARGS)

sim: $(DEV) ## Break a fleet for hours; ARGS="--only faults --seed 7 --runs 3", ARGS=--help
	@$(BIN)/python -m tests.fleet $(ARGS)

check: $(DEV) ## Style, types, floors and house rules, without the other tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy src tests $(wildcard benchmarks)
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/pytest -q tests/test_tidy.py tests/test_sql_names.py

cover: $(DEV) ## Prove that the core's own tests reach every branch of the core
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -q tests/core
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --include='src/farebox/core/*' --fail-under=100

bench: $(DEV) ## Measure; docs/numbers.md tells what the rows mean
	@$(BIN)/python -m benchmarks $(ARGS)

screenshots: $(DEV) ## Take the pictures of docs/screenshots from the demo
	@$(BUNDLE)
	@$(BIN)/python -m tests.browser.screenshots

docs: $(RUN) ## Write the documentation that the program serves into build/docs
	@$(BIN)/farebox docs build/docs

lock: ## Resolve the dependencies anew into requirements/*.txt; needs uv
	@command -v uv >/dev/null || { echo "make lock needs uv on the path."; exit 1; }
	uv pip compile $(LOCK) pyproject.toml -o requirements/run.txt
	uv pip compile $(LOCK) requirements/build.in -o requirements/build.txt
	uv pip compile $(LOCK) pyproject.toml requirements/dev.in --all-extras -c requirements/run.txt \
	  --prerelease if-necessary-or-explicit -o requirements/dev.txt

LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-header

clean: ## Remove what make and the tools have made
	rm -rf $(VENV) .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache \
	  build/frontend src/farebox/dashboard/assets/built

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Farebox needs Python 3.11 or later;" \
	    "$$($(PYTHON) --version 2>&1 | grep ^Python || echo "there is no '$(PYTHON)'") here."; \
	  echo "Name another one like this: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' comes without venv. On Debian and Ubuntu: apt-get install python3-venv"; \
	  exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(RUN): $(BUILT_FROM) requirements/run.txt | $(MADE)
	@echo "Installing into $(VENV) ..."
	@$(PIP_INSTALL) -r requirements/build.txt -r requirements/run.txt
	@$(PIP_INSTALL) $(PROJECT)
	@touch $@

# What the tests need holds all that a run needs, in the same versions.
$(DEV): $(BUILT_FROM) requirements/run.txt requirements/dev.txt | $(MADE)
	@echo "Installing into $(VENV), with what the tests need ..."
	@$(PIP_INSTALL) -r requirements/dev.txt
	@$(PIP_INSTALL) $(PROJECT)
	@touch $(RUN) $@
