# The node's commands. `make` alone lists them; the first use sets up .venv, later ones start at once.
PYTHON ?= python3
BIN := .venv/bin
# Binary packages only: no compiler is needed.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all:

.DEFAULT_GOAL := help
.PHONY: help setup run demo test check bench pins

help:
	@echo "make setup   the virtualenv, nothing else"
	@echo "make run     the node on its embedded default: http://127.0.0.1:8000, ws://127.0.0.1:9000"
	@echo "make demo    the whole loop between two nodes and a simulated charger (KEEP=1 leaves it up)"
	@echo "make test    the tests, on every lane that this machine can run"
	@echo "make check   format, lint, types, layers, migrations, deployment settings"
	@echo "make bench   the control loop's times; what a page of a million sessions costs (SESSIONS=100000: fewer)"

setup: .venv/.runtime

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=..."; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "$(PYTHON) has no venv module: install it (Debian: python3-venv)."; rm -rf .venv; exit 1; }
	@touch $@

.venv/.runtime: requirements.txt .venv/.python
	@echo "Setting up .venv ..."
	@$(PIP) -r requirements.txt
	@touch $@

.venv/.development: requirements-dev.txt .venv/.runtime
	@echo "Adding the development tools ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@

run: setup
	@$(BIN)/python manage.py node

demo: setup
	@$(BIN)/python -m demo $(if $(KEEP),--keep)

test: .venv/.development
	@$(BIN)/python tests/lanes.py

check: .venv/.development
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python config/deployment_check.py

bench: .venv/.development
	@$(BIN)/python -m benchmarks

# Renew the pins: `make pins` needs uv.
pins:
	uv pip compile -q --generate-hashes --no-emit-index-url --no-emit-find-links --universal --no-header --no-annotate --python-version 3.11 pyproject.toml -o requirements.txt
	uv pip compile -q --generate-hashes --no-emit-index-url --no-emit-find-links --universal --no-header --no-annotate --python-version 3.11 pyproject.toml --group dev -o requirements-dev.txt
