# One entrance for people and for CI. `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# `$(call pytest,WORKERS)`: each with servers of its own, a file at a time, in the order of tests/conftest.py. The tests on
# servers mostly wait: three keep two cores busy, as two with a browser each do.
pytest = $(RUN) -m pytest -q -n $(1) --dist loadfile --no-loadscope-reorder
# `$(call tests,WORKERS,MARKS)`: what failed is tried once more, alone, with its output: on a busy machine several workers
# make some wait too short. What fails again counts.
AGAIN := $(RUN) -m pytest -q --last-failed --last-failed-no-failures none
tests = $(call pytest,$(1)) -m "$(2)" || { echo "Once more, alone:"; $(AGAIN) -m "$(2)"; }
STAMP := $(VENV)/.installed

.PHONY: help run env sign-in words test test-unit test-servers test-browser test-full test-compose lint types bench docs publish clean-data requirements

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

# Made anew only when the pinned requirements change; the stamp is written last, so an interrupted run starts over.
$(STAMP): requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Python 3.11 or newer is needed: install it, or name it: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "  Installing the Python packages into $(VENV) … (about a minute)"
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "No virtual environment could be made (Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt \
		|| { echo "The Python packages could not be installed: check the network and the free space, then run again." >&2; exit 1; }
	@touch $@

run: $(STAMP) ## start the portal with everything it needs, load the demo, say where to go
	@exec $(RUN) -m deploy.local run

env: $(STAMP) ## write .env for docker compose: settings, and secrets drawn at random; what is there stays
	@$(RUN) -m deploy.compose env

sign-in: $(STAMP) ## who can sign in to the demo of docker compose, and with what
	@$(RUN) -m deploy.compose sign-in

# The servers' tools are compiled while lint, types and unit tests run. If that fails, test-servers tries again and says why.
test: $(STAMP) ## everything but the slow proofs
	@$(RUN) -m deploy.local install & tools=$$!; trap 'kill $$tools 2>/dev/null' EXIT; \
	$(MAKE) --no-print-directory lint types test-unit && { wait $$tools; trap - EXIT; \
	$(MAKE) --no-print-directory test-servers test-browser; }

test-unit: $(STAMP) ## pure logic
	@$(call pytest,2) -m "not servers and not processes and not browser and not slow and not compose"

test-servers: $(STAMP) ## on real servers of its own
	@$(RUN) -m deploy.local install
	@$(call tests,3,(servers or processes) and not browser and not slow)

test-browser: $(STAMP) ## in headless Chromium
	@$(RUN) -m deploy.local install
	@$(RUN) -m deploy.local browser
	@$(call tests,2,browser and not slow)

test-full: test ## the slow proofs too
	@$(call pytest,2) -m "slow and not browser"
	@$(call pytest,2) --dist load -m "slow and browser"

test-compose: $(STAMP) ## docker-compose.yml for real: needs docker with compose; the first time MinIO is compiled
	@$(RUN) -m pytest -q -o faulthandler_timeout=0 -m compose tests/compose

lint: $(STAMP) ## ruff: rules and format
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .

types: $(STAMP) ## mypy --strict
	@$(RUN) -m mypy
	@$(RUN) -m mypy tests

bench: $(STAMP) ## a night of payments, its memory, publish to visible, lists, streams, sign-ins, pages; figures in benchmarks/README.md
	@$(RUN) -m benchmarks

publish: $(STAMP) ## publish one event to the running portal: make publish FILE=event.json
	@test -n "$(FILE)" || { echo "Which event? make publish FILE=event.json" >&2; exit 2; }
	@$(RUN) -m deploy.cli publish "$(FILE)"

docs: $(STAMP) ## write docs/openapi.json and docs/asyncapi.yaml anew from the code
	@$(RUN) -m deploy.api_docs

words: $(STAMP) ## bring the pages' catalogues up to their texts, and say what English still lacks
	@$(RUN) -m deploy.words

clean-data: $(STAMP) ## delete the data of make run; tools stay installed
	@$(RUN) -m deploy.local clean-data

PIN := $(VENV)/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --python-version 3.11
requirements: $(STAMP) ## pin requirements anew after a change in a .in file
	@$(RUN) -m pip install --quiet uv
	$(PIN) requirements/runtime.in -o requirements/runtime.txt
	$(PIN) requirements/dev.in -o requirements/dev.txt
	cd deploy/local/pins && for tool in jdk jgo go node mongod; do ../../../$(PIN) --no-header --no-annotate $$tool.in -o $$tool.txt; done
