# Everything runs from .venv, which the first command that needs it makes. ARGS is passed on: make test ARGS="-k scan -x"
PYTHON ?= python3
ARGS =
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
READY := .venv/ready
DOCS_READY := .venv/docs-ready
SOURCES := src tests reference proofs numba_kernels properties benchmarks docs examples

.PHONY: help setup verify proofs test lint docs outputs peers lock clean

help:    ## list the targets
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

setup: $(READY)    ## make .venv with the locked dependencies (once) and install scanproof into it

verify: $(READY)    ## the main job: prove, check our kernels and real third-party scans, write build/report
	$(BIN)/scanproof verify $(ARGS)

proofs: $(READY)    ## prove lemmas (SymPy), theorems (Coq), certificates (Gappa), and show what each allowance rests on
	$(BIN)/scanproof prove --chain $(ARGS)

test: $(READY)    ## run the tests
	OPENBLAS_NUM_THREADS=1 OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -q -n auto --dist loadgroup $(ARGS)

lint: $(READY)    ## ruff and mypy, each over every Python file
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(DOCS_READY)    ## build the pages as a site in build/site; a dead link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict   # not --quiet: it would hide the warnings from --strict, too

outputs: $(READY)    ## run the commands that the pages show again, and write what they print into the pages
	$(BIN)/python docs/tools/outputs.py --write

peers: $(READY)    ## add jax to .venv, so that verify and check can judge its scans
	@echo "installing jax ..."
	@$(PIP) install --quiet jax

lock:    ## remake both lock files from pyproject.toml (newest versions: ARGS=--upgrade)
	@rm -rf build/lock && $(PYTHON) -m venv build/lock
	@build/lock/bin/python -m pip --disable-pip-version-check install --quiet uv
	build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --group dev --generate-hashes \
	  --no-header --no-emit-index-url $(ARGS) --output-file requirements.lock pyproject.toml
	build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --group docs --generate-hashes \
	  --no-header --no-emit-index-url $(ARGS) --constraints requirements.lock --output-file docs/requirements.lock
	@rm -rf build/lock

clean:    ## remove .venv, build and every cache
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find $(SOURCES) -name __pycache__ -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: Scanproof needs Python 3.11 or newer; name one with: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear .venv
	@echo "installing the locked dependencies (one to two minutes, once) ..."
	@$(PIP) install --quiet --require-hashes -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(DOCS_READY): docs/requirements.lock $(READY)
	@echo "installing what builds the pages (once) ..."
	@$(PIP) install --quiet --require-hashes -r docs/requirements.lock
	@touch $@
