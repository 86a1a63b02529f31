# gisgrid: `make demo` shows it, `make test` checks it. Each does its own set-up once.
SHELL := /bin/sh
PY := .venv/bin/python
STAMPS := .setup
# test processes side by side; each has a PostgreSQL of its own
TESTERS ?= 3
WEB_SOURCES := $(shell find web/src -type f 2>/dev/null) $(wildcard web/*.html web/*.json web/*.ts)
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-faults test-clients lint format bench bench-load campaign campaign-locate campaign-schemathesis campaign-machine campaign-kill clean wheel release

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMPS)/system $(STAMPS)/python $(STAMPS)/web $(STAMPS)/kernels ## install everything (skipped when done)

demo: setup ## plan a sample district and serve its map on http://127.0.0.1:8000
	.venv/bin/gisgrid demo

test: setup ## the test suite, in three processes (TESTERS=2 for fewer)
	@cd web && ../.ci/npm run --silent test -- --reporter=dot
	$(PY) -m pytest -n $(TESTERS) --dist loadfile

test-faults: setup ## processes killed, databases gone, disks full, bombs, who may what: figures printed (about 6 minutes)
	$(PY) -m pytest -n 3 --dist loadfile tests/fault tests/security

test-clients: setup ## the service opened by GDAL and QGIS from Debian, every layer (about 3 minutes; QGIS is large)
	@.ci/client-packages
	$(PY) -m pytest tests/clients

lint: setup ## ruff, mypy --strict, TypeScript, prettier
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	cd web && ../.ci/npm run --silent lint

format: setup ## format the sources
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: setup $(STAMPS)/peers $(STAMPS)/peers-venv ## benchmarks beside their peers; prints ratios
	@for file in $(filter-out benchmarks/_% %_campaign.py %/load.py,$(wildcard benchmarks/*.py)); do \
	  echo "== $$file"; $(PY) "$$file" || exit 1; done

bench-load: setup $(STAMPS)/peers ## mixed load at the highest rate held with p99 up to 50 ms, ten minutes (LOAD="--minutes 2")
	PYTHONPATH=. $(PY) benchmarks/load.py $(LOAD)

campaign: setup ## 20 seeds of every partition case held against the hard rules (long; CAMPAIGN="--full" for more)
	$(PY) benchmarks/partition_campaign.py $(CAMPAIGN)

campaign-locate: setup ## the point index against PostGIS on 14 million points, vertices and midpoints (about 15 minutes)
	$(PY) benchmarks/locate_rule_campaign.py

campaign-machine: setup ## 3,000 steps of plans edited, published and rolled back against a model (about 10 minutes)
	GISGRID_MACHINE=$(or $(MACHINE),30:100) $(PY) -m pytest tests/fault/test_plan_machine.py -q -s --timeout=3600

campaign-schemathesis: setup ## 60 made-up requests for every operation of /openapi.json as each role (over an hour)
	GISGRID_EXAMPLES=60 $(PY) -m pytest tests/integration/api/test_schemathesis.py

campaign-kill: setup ## kill -9 at every fail point of a publish in every way, and at 200 random moments (about 20 minutes)
	GISGRID_STRIKES=200 $(PY) -m pytest tests/fault/test_kill.py -s

wheel: setup ## build the wheel into dist/
	$(PY) -m build --wheel

release: setup ## wheel, source, web pages, bill of materials, audit and checksums into dist/
	@.ci/release

clean: ## remove what set-up and builds made (data under GISGRID_HOME stays)
	rm -rf .venv .setup build dist *.egg-info api/static web/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMPS)/system: .ci/system-packages
	@.ci/system-packages
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/python: pyproject.toml | $(STAMPS)/system
	@test -x $(PY) || python3 -m venv .venv
	@echo "gisgrid set-up: Python packages"
	@$(PY) -m pip install --quiet --editable '.[dev]'
	@mkdir -p $(STAMPS) && touch $@

# what the benchmarks compare with and nothing else needs
$(STAMPS)/peers: pyproject.toml | $(STAMPS)/python
	@echo "gisgrid set-up: benchmark peers"
	@$(PY) -m pip install --quiet --editable '.[bench]' || echo "some peers could not be installed; they are left out"
	@mkdir -p $(STAMPS) && touch $@

# servers the map benchmarks compare with: their pins do not agree with ours (MapServer comes from the system)
$(STAMPS)/peers-venv: | $(STAMPS)/python
	@echo "gisgrid set-up: map servers to compare with"
	@python3 -m venv $@ && $@/bin/pip install --quiet pygeoapi tipg granian geoalchemy2 psycopg2-binary \
	  || echo "pygeoapi or tipg could not be installed; they are left out"

$(STAMPS)/node: web/package.json web/package-lock.json | $(STAMPS)/python
	@echo "gisgrid set-up: web packages"
	@cd web && ../.ci/npm ci --silent --no-audit --no-fund
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/web: $(WEB_SOURCES) $(STAMPS)/node
	@echo "gisgrid set-up: web map"
	@cd web && ../.ci/npm run --silent build
	@mkdir -p $(STAMPS) && touch $@

# numba compiles once, here, so that no command waits for it
$(STAMPS)/kernels: $(STAMPS)/python $(wildcard gisgrid/*.py gisgrid/*/*.py planning/*.py planning/*/*.py data/point_streams/records.py)
	@echo "gisgrid set-up: compiling kernels"
	@find gisgrid planning data -name '*.nb[ic]' -delete # a kernel's cache does not notice changes in kernels it calls
	@$(PY) -m api.cli warm --quiet
	@mkdir -p $(STAMPS) && touch $@
