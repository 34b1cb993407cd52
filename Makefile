# `make` prints what exists. `make demo` and `make test` are all a newcomer needs.
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8000
DATA_DIR ?= $(CURDIR)/var
export PORT DATA_DIR

.PHONY: help demo test bench lint setup setup-dev format
help:  ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup:  ## the environment and the assets (.venv, static/vendor); nothing to do when nothing changed
	@$(PYTHON) setup_environment.py requirements.txt

setup-dev:
	@$(PYTHON) setup_environment.py requirements-dev.txt --test-tools

demo: setup  ## the sample township on http://127.0.0.1:8000 (PORT=, DATA_DIR=, FRESH=1)
	@exec .venv/bin/python -m shop.serving $(if $(FRESH),--fresh)

test: setup-dev  ## the whole suite: SQLite and PostgreSQL, browser, accessibility
	@mkdir -p build
	.venv/bin/python -m pytest -n 2 --dist loadgroup --junitxml build/tests.xml $(TESTS)

bench: setup-dev  ## how quick the shop is, beside two floors; bench/results.json (BENCH="--on sqlite")
	.venv/bin/python -m bench $(BENCH)

lint: setup-dev  ## formatting, types, import contracts, templates
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/lint-imports
	.venv/bin/mypy
	.venv/bin/djlint templates --lint --profile=jinja --quiet

format: setup-dev
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .
