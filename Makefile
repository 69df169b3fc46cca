# Everything a person types here. `make up` needs Python 3.11+ and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CATALOGUES := $(wildcard src/stillhere/locale/*/LC_MESSAGES/*.po)
PROJECT := pyproject.toml hatch_build.py $(CATALOGUES)
export STILLHERE_DATA ?= ./data

.PHONY: up demo desk test test-fast check docs mutants messages lock sbom pictures bench bench-checkin bench-lateness \
	bench-alarms bench-restart bench-texts bench-walk bench-links bench-pages bench-live bench-visitors bench-clock bench-words bench-desk bench-postgres bench-false-alarms \
	chaos chaos-ha

up: $(VENV)/.stamp-project
	@exec $(BIN)/stillhere up

demo: $(VENV)/.stamp-project
	@exec $(BIN)/stillhere demo

desk: $(VENV)/.stamp-project
	@exec $(BIN)/stillhere desk

test: $(VENV)/.stamp-dev
	@$(PYTHON) tools/machine.py packages
	$(BIN)/pytest -n 3 --dist worksteal
	$(BIN)/python -m tests.postgres $(BIN)/pytest -n 3 --dist worksteal

test-fast: $(VENV)/.stamp-dev
	$(BIN)/pytest -n 2 -m "not browser and not slow" --ignore tests/journeys --ignore tests/chaos

# ONLY=kill runs one fault, ON=sqlite one database.
chaos: $(VENV)/.stamp-dev
	@$(PYTHON) tools/machine.py packages
	@$(BIN)/python -m tests.chaos

check: $(VENV)/.stamp-dev
	@$(BIN)/python tools/check.py

# These pages as a site, in build/docs.
docs: $(VENV)/.stamp-docs
	@$(BIN)/python tools/site.py

# Breaks the core in every small way and sees that a test notices. `make mutants ONLY=ladder`.
mutants: $(VENV)/.stamp-dev
	@PYTHONHASHSEED=0 $(BIN)/python -m tools.mutants $(ONLY)

messages: $(VENV)/.stamp-dev
	@$(BIN)/python tools/catalogues.py update

lock:
	uv lock --upgrade
	uv export --quiet --format requirements-txt --no-annotate --no-header --no-emit-project \
		--no-dev --group build --output-file requirements/run.txt
	uv export --quiet --format requirements-txt --no-annotate --no-header --no-emit-project \
		--group dev --output-file requirements/dev.txt
	uv export --quiet --format requirements-txt --no-annotate --no-header --no-emit-project \
		--only-group docs --output-file requirements/docs.txt
	@$(MAKE) --no-print-directory sbom

# What a release is made of (CycloneDX), from the lock. A wheel and an image carry it.
sbom: $(VENV)/.stamp-dev
	@$(BIN)/python -m tools.sbom

pictures: $(VENV)/.stamp-dev
	$(BIN)/python -m tests.journeys.pictures

# Every figure of docs/proof.md, with its limit beside it, and the plot. About twenty minutes.
bench: $(VENV)/.stamp-dev
	@rm -f build/bench.jsonl; mkdir -p build
	@BENCH_KEEP=build/bench.jsonl $(MAKE) --no-print-directory bench-checkin bench-lateness \
		bench-alarms bench-restart bench-texts bench-walk bench-links bench-pages bench-live bench-visitors bench-clock bench-words bench-desk bench-postgres
	@$(BIN)/python -m benchmarks.plot build/bench.jsonl docs/pictures/speed.svg

bench-checkin bench-lateness bench-alarms bench-restart bench-texts bench-walk bench-links bench-pages bench-live bench-visitors bench-clock bench-words bench-desk: bench-%: $(VENV)/.stamp-dev
	@$(BIN)/python -m benchmarks.$*

bench-postgres: $(VENV)/.stamp-dev
	@$(PYTHON) tools/machine.py packages
	@BENCH_OPEN=1000000 $(BIN)/python -m benchmarks.checkin --postgres
	@BENCH_OPEN=1000000 $(BIN)/python -m benchmarks.lateness --postgres
	@$(BIN)/python -m benchmarks.alarms --postgres

bench-false-alarms: $(VENV)/.stamp-dev
	@$(BIN)/python -m benchmarks.false_alarms

# The database machine dies under load, by the recipe in deploy/patroni. Needs root; eight minutes.
chaos-ha: $(VENV)/.stamp-dev
	@$(PYTHON) tools/machine.py packages chaos-ha
	@$(BIN)/python -m tests.chaos.patroni

# Installing, each step once: a stamp is newer than what it was made from.
$(VENV)/.stamp-run: requirements/run.txt
	@$(PYTHON) tools/machine.py install $(VENV) requirements/run.txt
	@touch $@

$(VENV)/.stamp-project: $(VENV)/.stamp-run $(PROJECT)
	@$(PYTHON) tools/machine.py project $(VENV)
	@touch $@

$(VENV)/.stamp-dev: requirements/dev.txt $(VENV)/.stamp-project
	@$(PYTHON) tools/machine.py install $(VENV) requirements/dev.txt
	@touch $@

$(VENV)/.stamp-docs: requirements/docs.txt $(VENV)/.stamp-run
	@$(PYTHON) tools/machine.py install $(VENV) requirements/docs.txt
	@touch $@
