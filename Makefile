# Two commands are enough: `make serve` and `make test`.
.DEFAULT_GOAL := help
PORT ?= 8000
WORKERS_OF_TESTS ?= 2
PY := .venv/bin/python

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 20

setup: ## create .venv with all dependencies (fast when nothing changed)
	@.ci/setup

setup-test:
	@.ci/setup --test

serve: setup ## install, then serve the portal with a demo city on http://127.0.0.1:$(PORT)
	@exec $(PY) -m portal.operations.serve --port $(PORT)

lint: setup-test ## style, import contracts, types
	@$(PY) -m ruff check .
	@.venv/bin/lint-imports --no-logo
	@$(PY) -m mypy

test: setup-test ## install, then run every check and test
	@# compile the engine once on the second core, instead of in each worker and each started portal
	@$(PY) -c "from allocation.solve import compile_all; compile_all()" & compiling=$$!; \
	  $(MAKE) --no-print-directory lint && wait $$compiling
	@$(PY) -m pytest -q -n $(WORKERS_OF_TESTS) --dist loadgroup

coverage-of-engine: setup-test ## branch coverage of allocation/ without the compiler; fails on an uncovered branch
	@$(PY) -m tests.engine.reached

mutants: setup-test ## mutation tests of the engine (an hour)
	@$(PY) -m bench.mutate

screenshots: setup-test ## screenshots at 390 and 1280 px in both languages in var/screenshots
	@PORT=$(PORT) PAGES="$(PAGES)" $(PY) -m tests.browser.screenshots

lock: setup-test ## resolve the lock files from the ranges in setup.cfg
	@$(PY) -m pip install --quiet --target var/tools uv
	@for part in "requirements.lock" "requirements-test.lock --extra test --constraints requirements.lock"; do \
	  set -- $$part; file=$$1; shift; \
	  env -u PIP_FIND_LINKS PYTHONPATH=var/tools $(PY) -m uv pip compile setup.cfg $$@ --quiet --upgrade --universal \
	    --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command "make lock" --output-file $$file || exit 1; \
	done; rm -rf *.egg-info

clean-data: setup ## delete the data of the embedded database and queue (without a question)
	@$(PY) -m portal.operations.serve --forget-data

.PHONY: help setup setup-test serve lint test coverage-of-engine mutants screenshots lock clean-data
