# Pivot's development commands. `make` alone lists them.
#
# Everything happens in .venv, which is made once from the hashed lock requirements-dev.txt;
# PYTHON=/path/to/python chooses the interpreter it is made with.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint docs bench soak lock install servers clean

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PEERS := .venv-bench
PIP := $(BIN)/python -m pip --disable-pip-version-check
PYTEST_ARGS ?= --numprocesses=auto --maxprocesses=8

export PYTHON
# Without HOME, pip and matplotlib would write into a folder that is named "~".
ifndef HOME
export HOME := $(CURDIR)/$(VENV)/home
endif

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(STAMP) ## play the whole story on a real data set, in a temporary repository
	@$(BIN)/python examples/wine/demo.py

test: $(STAMP) ## run all tests, those of the built wheel and the demo among them
	$(BIN)/python -m pytest -m "not soak" $(PYTEST_ARGS)

lint: $(STAMP) ## check style, types, the layers between packages, and the wheel's top level
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --strict examples/wine/demo.py docs/reference/generate_cli.py \
	    docs/reference/generate_fingerprint.py
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/packaging/test_wheel.py -k top_level

docs: export NO_MKDOCS_2_WARNING := 1
docs: $(STAMP) ## build the documentation into site/
	$(BIN)/mkdocs build --strict

bench: $(STAMP) $(PEERS)/.installed ## measure Pivot beside its peers, in one run
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

soak: export HYPOTHESIS_PROFILE := soak
soak: $(STAMP) ## run the long tests, and those of properties with a hundred times the examples
	$(BIN)/python -m pytest -m "soak or hypothesis" --timeout=0 $(PYTEST_ARGS)

lock: ## refresh the locked requirements (needs uv)
	uv pip compile --universal --generate-hashes --no-annotate --no-header --upgrade \
	    --python-version 3.13 --extra all --group dev pyproject.toml -o requirements-dev.txt
	uv pip compile --universal --generate-hashes --no-annotate --no-header --upgrade \
	    --python-version 3.13 requirements-bench.in -o requirements-bench.txt

install: $(STAMP) ## make .venv and install everything into it

servers: ## install the servers that tests start (as root, where Debian's packages are missing)
	.ci/install-servers

$(STAMP): requirements-dev.txt pyproject.toml
	@$(BIN)/python -c "" 2>/dev/null || { python=$$(.ci/find-python) && "$$python" -m venv --clear $(VENV); }
	@mkdir -p "$$HOME"
	$(PIP) install --quiet --require-hashes -r requirements-dev.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(PEERS)/.installed: requirements-bench.txt | $(STAMP)
	$(BIN)/python -m venv --clear $(PEERS)
	$(PEERS)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes \
	    -r requirements-bench.txt
	@touch $@

clean: ## remove the environments and everything that was built
	rm -rf $(VENV) $(PEERS) tests/servers/node_modules build dist site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
