# Everything sets itself up: a virtual environment in .venv, the toolchains through apt and npm when root.
.PHONY: setup toolchains demo test test-all check format docs clean
.DELETE_ON_ERROR:

PYTHON ?= $(shell for p in python3.12 python3.11 python3; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
WORKERS ?= 2
# Two busy cores are better used by two test processes than by one with two threads.
export OMP_NUM_THREADS ?= 1

setup: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv || { echo "The venv module is missing: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[torch,parquet,dev]'
	touch $@

toolchains: setup
	$(BIN)/codeglot languages --install

demo: export OMP_NUM_THREADS = $(shell nproc)
demo: toolchains
	$(BIN)/codeglot demo

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check
	$(BIN)/python -m pytest -q tests/architecture

test: toolchains
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -m "not slow and not gpu" --ignore tests/architecture

test-all: toolchains
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -m "not gpu"

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup
	$(BIN)/python docs/generate.py

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
