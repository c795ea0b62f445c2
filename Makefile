# `make demo` and `make test` need only Python 3.11 or later; `make help` lists all targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
RUN := $(VENV)/bin/python
export UV_PROJECT_ENVIRONMENT := $(VENV)
# Keep the order of the files. The slowest ones are in the middle, and xdist would otherwise run them last.
ON_TWO_CORES := -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: help demo test quick serve worker lint journeys model attack fuzz bench pictures messages lock clean

help: ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/runtime .env ## Set everything up and show the onboarding of an account
	@$(RUN) manage.py demo

test: $(VENV)/dev .env ## Run the tests
	@$(RUN) -m pytest -q $(ON_TWO_CORES) $(ARGS)

quick: $(VENV)/dev .env ## Run the most important tests in under a minute
	@$(RUN) -m pytest -q $(ON_TWO_CORES) -m "not (race or kill or guard or hypothesis or slow)" $(ARGS)

serve: $(VENV)/runtime .env ## Serve the pages at http://localhost:8000
	@$(RUN) manage.py runserver $(or $(PORT),8000)

worker: $(VENV)/runtime .env ## Run the jobs of the queue until stopped
	@exec $(RUN) manage.py worker

journeys: $(VENV)/dev .env ## Run the journeys in a real browser (needs Chromium)
	@$(RUN) -m pytest -q tests/journeys $(ARGS)

lint: $(VENV)/dev .env ## Check style, types, imports between apps, and migrations
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/djlint --lint --quiet templates
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(RUN) manage.py makemigrations --check --dry-run

model: $(VENV)/dev .env ## Check the model of an account in every order of its steps (needs SPIN and cc)
	@$(RUN) -m tests.model

attack: $(VENV)/dev .env ## Let several processes do everything at once, then check every invariant (SECONDS, SEED)
	@$(RUN) -m tests.attack --seconds $(or $(SECONDS),20) $(if $(SEED),--seed $(SEED))

fuzz: $(VENV)/dev .env ## Ask for every page as every role, then send random requests (N=requests, SEED=number)
	@$(RUN) -m tests.fuzz --n $(or $(N),2000) $(if $(SEED),--seed $(SEED))

bench: $(VENV)/dev .env ## Measure against the limits (N=accounts)
	@$(RUN) -m benchmarks $(or $(N),10000)

pictures: $(VENV)/dev .env ## Take the pictures in docs/ again from the demo (needs Chromium)
	@$(RUN) -m tests.pictures

messages: $(VENV)/dev .env ## Collect and compile the translations (needs gettext)
	@$(RUN) manage.py makemessages --locale es --no-obsolete --add-location file --extension html,txt,subject,py --ignore '.*' --ignore tests --ignore staticfiles
	@$(RUN) manage.py compilemessages --locale es --ignore '.*'

lock: ## Pin the requirements again (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
		--python-version 3.11 pyproject.toml -o requirements.txt
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
		--python-version 3.11 pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt

clean: ## Remove the environment and the embedded server's data
	rm -rf $(VENV) .postgres staticfiles

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed; none was found. PYTHON=/path/to/python names one."; exit 1; }
	@if command -v uv >/dev/null; then uv venv -q --python "$(PYTHON)" $(VENV); else "$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }; fi

$(VENV)/runtime: requirements.txt | $(VENV)/bin/python
	@$(call install,requirements.txt)
	@touch $@

$(VENV)/dev: requirements-dev.txt | $(VENV)/bin/python
	@$(call install,requirements-dev.txt)
	@touch $@ $(VENV)/runtime

.env:
	@echo "DEBUG=true" > .env

install = if command -v uv >/dev/null; then uv pip install -q --python $(RUN) --require-hashes -r $(1); \
	else $(RUN) -m pip --version >/dev/null 2>&1 || $(RUN) -m ensurepip >/dev/null; \
	$(RUN) -m pip install -q --disable-pip-version-check --require-hashes -r $(1); fi
