# Two commands are enough: `make serve` to see it, `make test` to check it; `.ci/run` checks all of it.
.DEFAULT_GOAL := help
PORT ?= 8000
WORKERS_OF_TESTS ?= 2
PY := .venv/bin/python
PYTEST = $(PY) -m pytest -q -n $(WORKERS_OF_TESTS) --dist loadgroup

help: ## say what can be done
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 20

setup: ## make .venv and what the portal needs (quick when nothing changed)
	@.ci/setup

setup-test:
	@.ci/setup --test

serve: setup ## everything needed, then the portal with a demo city on http://127.0.0.1:$(PORT)
	@exec $(PY) -m portal.operations.serve --port $(PORT)

lint: setup-test ## style, format, directions of imports, types, locks of migrations
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@.venv/bin/lint-imports --no-logo
	@$(PY) -m mypy
	@$(PY) -m tests.guards.lint_migrations

licences: setup-test ## the licence of each pinned package; fails on one that nobody has allowed
	@$(PY) -m tests.support.licences

test: setup-test ## everything needed, then style, types and the tests of every finding, guard, story and page (TESTS=path for some)
	@# the engine is compiled once on the second core, not by each worker and each started portal of the tests
	@$(PY) -c "from allocation.warmup import compile_all; compile_all()" & compiling=$$!; \
	  $(MAKE) --no-print-directory lint && wait $$compiling
	@$(PYTEST) -m "not long" $(TESTS)

test-long: setup-test ## the other tests: the browser in all widths and languages, races, whole starts, the largest markets
	@$(PYTEST) -m long $(TESTS)

test-bare: ## both commands of the README in a bare Debian made for it (root; TESTS= runs the whole of `make test` there)
	@.ci/bare

coverage-of-engine: setup-test ## every branch of allocation/ is reached without the compiler; else it fails and says which
	@$(PY) -m tests.engine.engine_coverage

mutants: setup-test ## small changes to the engine's rule, each of which a test must notice (an hour)
	@$(PY) -m bench.mutate

screenshots: setup-test ## pages at 390 and 1280 px in both languages into var/screenshots
	@PORT=$(PORT) PAGES="$(PAGES)" $(PY) -m tests.browser.screenshots

lock: setup-test ## choose exact versions anew from the ranges in setup.cfg
	@$(PY) -m pip install --quiet --target var/tools uv
	@for part in "requirements.lock" "requirements-test.lock --extra test --constraints requirements.lock"; do \
	  set -- $$part; file=$$1; shift; \
	  env -u PIP_FIND_LINKS PYTHONPATH=var/tools $(PY) -m uv pip compile setup.cfg $$@ --quiet --upgrade --universal \
	    --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command "make lock" --output-file $$file || exit 1; \
	done; rm -rf *.egg-info

clean-data: setup ## remove the data of the embedded database and queue (asks nothing)
	@$(PY) -m portal.operations.serve --forget-data

.PHONY: help setup setup-test serve lint licences test test-long test-bare coverage-of-engine mutants screenshots lock clean-data
