# Two commands are enough: `make serve` to see it, `make test` to check it; `.ci/run` checks all of it.
.DEFAULT_GOAL := help
PORT ?= 8000
WORKERS_OF_TESTS ?= 2
SEASONS ?= 200
FAMILIES ?= 600
RATE ?= 3
PY := .venv/bin/python
PYTEST = $(PY) -m pytest -q -n $(WORKERS_OF_TESTS) --dist loadfile --no-loadscope-reorder
# after failures alone (1), not after an interruption or a wrong option
SECOND_LOOK = { [ $$? = 1 ] && $(PY) -m tests.support.second_look; }

help: ## say what can be done
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 20

setup: ## make .venv and what the portal needs (quick when nothing changed)
	@.ci/setup

setup-test:
	@.ci/setup --test

serve: setup ## everything needed, then the portal with a demo city on http://127.0.0.1:$(PORT)
	@exec $(PY) -m portal.operations.serve --port $(PORT)

lint: setup-test ## style, format, directions of imports, types, locks of migrations
	@# mypy takes longer than the rest together: on two cores it runs beside it
	@$(PY) -m mypy & types=$$!; \
	  $(PY) -m ruff check . && $(PY) -m ruff format --check . && .venv/bin/lint-imports --no-logo && \
	  $(PY) -m tests.guards.lint_migrations; others=$$?; \
	  wait $$types && exit $$others

licences: setup-test ## the licence of each pinned package; fails on one that nobody has allowed
	@$(PY) -m tests.support.licences

# What one process of the tests has compiled of the modules is there for the next, also where the environment wants nothing
# written: the two workers and every started process would compile all of it again.
test test-long: export PYTHONDONTWRITEBYTECODE :=

test: setup-test ## everything needed, then style, types and the tests of every finding, guard, story and page (TESTS=path for some)
	@# the modules are compiled once on the second core, not by each worker and each started portal of the tests;
	@# what style and types say does not hide which tests fail
	@{ $(PY) -m pytest -q --collect-only -p no:cacheprovider $(TESTS) >/dev/null 2>&1 || :; } & compiling=$$!; \
	  $(MAKE) --no-print-directory lint; style=$$?; wait $$compiling; \
	  $(PYTEST) --cache-clear -m "not long" $(TESTS) || $(SECOND_LOOK); tests=$$?; \
	  [ $$style = 0 ] || echo "make lint failed: see above the tests"; \
	  [ $$style = 0 ] && [ $$tests = 0 ]

test-long: setup-test ## the other tests: the browser in all widths and languages, races, whole starts, the largest markets
	@$(PYTEST) --cache-clear -m long $(TESTS) || $(SECOND_LOOK)

explore: setup-test ## random examples for the property tests, and random families through a season (SEASONS=200), other ones each time
	@HYPOTHESIS_PROFILE=explore SEASONS=$(SEASONS) $(PYTEST) tests/engine/test_properties.py tests/engine/test_coverage.py \
	  tests/domain/applications/test_bonds_in_every_order.py tests/attacks/test_many_random_families.py

any-order: setup-test ## `make test` with rows in a random order wherever a query asks for none: what relies on another fails
	@$(PYTEST) -p tests.support.any_order -m "not long" $(TESTS)

test-bare: ## both commands of the README in a bare Debian made for it (root; TESTS= runs the whole of `make test` there)
	@.ci/bare

coverage-of-engine: setup-test ## every branch of allocation/ is reached without the compiler; else it fails and says which
	@$(PY) -m tests.engine.engine_coverage

mutants: setup-test ## small changes to the engine's rule, each of which a test must notice (an hour)
	@$(PY) -m bench.mutate

bench-run: setup-test ## a run for 250,000 children in the database beside the COPY of the same rows, then the engine alone (half an hour; CHILDREN=n)
	@$(PY) -m bench.run --children $${CHILDREN:-250000} --json var/bench-run.json

bench-pdf: setup-test ## admission notices a second and core (a minute)
	@$(PY) -m bench.notices --json var/bench-pdf.json

bench-growth: setup-test ## what pages read at 3,000 and at 250,000 applications (ten minutes; CHILDREN=n)
	@$(PY) -m bench.growth --children $${CHILDREN:-250000} --json var/bench-growth.json

bench-coverage: setup-test ## the coverage pages with 500,000 children on the rolls, beside 300 ms (three minutes; CHILDREN=n)
	@$(PY) -m bench.coverage --children $${CHILDREN:-500000} --json var/bench-coverage.json

bench-laboratory: setup-test ## draws of the policy laboratory with 120,000 children, and twenty variants extrapolated (two minutes)
	@$(PY) -m bench.laboratory

bench-planner: setup-test ## a plan of 500 measures in 23 areas over 5 years, three invented cities (up to half an hour)
	@$(PY) -m bench.planner

bench-messages: setup-test ## messages a second through gateways of 130 and 5 ms; none lost and none twice over kills (seven minutes)
	@$(PY) -m bench.messages --json var/bench-messages.json

bench-web: setup-test ## statements, processor time and rate of the hot paths, beside raw pgbench, a bare Flask and twins; then the review desk with 200 and 2,000 own files (20 minutes; ONLY=pages)
	@$(PY) -m bench.web --json var/bench-web.json --only "$(ONLY)"
	@$(PY) -m bench.desk --json var/bench-desk.json

bench-hour: setup-test ## looks a second at the results in their first hour, and p99 at 417 a second (two minutes; CHILDREN=n)
	@$(PY) -m bench.web.hour --children $${CHILDREN:-300} --json var/bench-hour.json

bench-trail: setup-test ## what the entry of the audit trail and its seal cost of a write, as pairs in one run (two minutes)
	@$(PY) -m bench.trail --json var/bench-trail.json

rehearsal: setup-test ## families come to a whole portal, three times too many in the middle (FAMILIES=600 RATE=3); charts in var/rehearsal
	@$(PY) -m bench.rehearsal --families $(FAMILIES) --rate $(RATE)

bench-imports: setup-test ## the roll of a city from a file beside a working portal: seconds and memory beside their goals (five minutes)
	@$(PY) -m bench.imports --json var/bench-imports.json

restore-drill: setup-test ## a city is backed up, restored and verified, with its time beside its goal (FAMILIES=12000); no commit lost with archived WAL
	@$(PY) -m bench.restore_drill --families $${FAMILIES:-12000} --json var/restore-drill.json

torture: setup-test ## everything is killed, stopped and cut at random under load; the ledger is compared with the tables (MINUTES=60)
	@$(PY) -m bench.torture --minutes $${MINUTES:-60} --json var/torture.json

restarts: setup-test ## each part is ended in order again and again under load; nothing is dropped, lost or double (RESTARTS=100, half an hour)
	@$(PY) -m bench.deploys restarts --times $${RESTARTS:-100} --json var/restarts.json

deploy-drill: setup-test ## the version before serves while the database is upgraded, then this one takes over (EARLIER=revision, three minutes)
	@$(PY) -m bench.deploys deploy --earlier "$(EARLIER)" --json var/deploy-drill.json

publication: setup-test ## RUNS=500 publications whose worker is killed, paused or cut off; each happens once
	@$(PY) -m bench.publication --runs $${RUNS:-500} --json var/publication.json

screenshots: setup-test ## pages at 390 and 1280 px in both languages into var/screenshots
	@PORT=$(PORT) PAGES="$(PAGES)" $(PY) -m tests.browser.screenshots

tour: setup-test ## the pictures of the tour of the demo, and docs/tour.md with them (five minutes)
	@$(PY) -m tests.browser.tour

lock: setup-test ## choose exact versions anew from the ranges in setup.cfg
	@$(PY) -m pip install --quiet --target var/tools uv
	@for part in "requirements.lock" "requirements-test.lock --extra test --constraints requirements.lock"; do \
	  set -- $$part; file=$$1; shift; \
	  env -u PIP_FIND_LINKS PYTHONPATH=var/tools $(PY) -m uv pip compile setup.cfg $$@ --quiet --upgrade --universal \
	    --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command "make lock" --output-file $$file || exit 1; \
	done; rm -rf *.egg-info

backup: setup ## an encrypted backup of the embedded database into var/backup, also while the portal runs
	@$(PY) -m portal.operations.embedded_copies backup

restore: setup ## bring a backup back (FILE=var/backup/…) after `make clean-data`, which keeps backups and keys; KEY_FILE names other keys
	@$(PY) -m portal.operations.embedded_copies restore $(FILE)

clean-data: setup ## remove the data of the embedded database and queue (asks nothing); backups and their keys stay
	@$(PY) -m portal.operations.serve --forget-data

.PHONY: help setup setup-test serve lint licences test test-long explore any-order test-bare coverage-of-engine mutants bench-run bench-pdf bench-growth bench-coverage bench-web bench-hour bench-imports bench-messages bench-trail bench-laboratory bench-planner restore-drill torture publication rehearsal screenshots tour lock backup restore clean-data
