# Needs python3 (3.11 or newer) and make; `make setup` brings the rest into .venv.
#
#   make test PYTHON=python3.12     another interpreter
#   make setup CONSTRAINTS=         newest versions instead of the tested ones; keeps a torch that is there
#   make test VENV=../env           another environment
#   make test WORKERS=8             more tests at a time

PYTHON ?= python3
VENV ?= .venv
CONSTRAINTS ?= constraints.txt
WORKERS ?= 2

BIN := $(VENV)/bin
STAMP := $(VENV)/.ganvas-installed
PEERS ?= .venv-peers
PEERS_STAMP := $(PEERS)/.ganvas-installed
FOREIGN ?= .venv-foreign
FOREIGN_STAMP := $(FOREIGN)/.ganvas-installed
MANY_PROCESSES := tests/train/test_resume.py tests/train/test_two_ranks.py tests/cli/test_messages.py tests/cli/test_systems.py
GATES := $(basename $(notdir $(wildcard benchmarks/gates/gate_*.py)))
BENCHMARKS := $(filter-out benchmarks/history.py benchmarks/families.py benchmarks/time_to_quality.py benchmarks/ports.py benchmarks/step_pairs.py benchmarks/foreign.py benchmarks/anatomy%.py benchmarks/metrics_peers.py benchmarks/parity%,$(wildcard benchmarks/*.py))

# Threads that wait asleep, not spinning: two jobs side by side then share two cores at full speed.
export OMP_WAIT_POLICY ?= PASSIVE
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# What is compiled once (and the asserts of the tests, rewritten) is read the next time: a third of a start of the tests.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test fast simulate browser machines long lint format types docs references mutants fuzz bench gates claims peers parity bench-peers foreign families check clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1 - /p' Makefile | awk -F' - ' '{ printf "  make %-11s %s\n", $$1, $$2 }'

setup: $(STAMP) ## a virtual environment in .venv with everything in it

$(STAMP): pyproject.toml $(wildcard $(CONSTRAINTS))
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Ganvas needs Python 3.11 or newer, and $(PYTHON) is older. Name another: make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Ganvas and its tools into $(VENV): a minute or two, most of it torch."
	@$(BIN)/python -m pip install -qq --editable '.[dev,docs]' $(addprefix --constraint ,$(CONSTRAINTS))
	@touch $@

demo: setup ## train a small progressive GAN, measure it, write runs/demo/report.html (6 to 15 minutes)
	$(BIN)/ganvas train gan/progan --data scenes:20000,32x32 --preset small --out runs/demo
	$(BIN)/ganvas measure runs/demo --n 4096
	$(BIN)/ganvas report runs/demo
	@$(BIN)/python -c 'from pathlib import Path; print("Open", Path("runs/demo/report.html").resolve().as_uri())'

test: setup ## the whole suite: twelve minutes at most on two cores
	$(BIN)/python -m pytest -q -n $(WORKERS) --durations 5

# Neither types at run time nor doctests: putting checks into every function is half of a start of the tests.
fast: setup ## what is not marked slow, without types and doctests: a minute
	$(BIN)/python -m pytest -q -n $(WORKERS) -m 'not slow' --override-ini addopts='--strict-markers --strict-config --import-mode=importlib' tests

simulate: setup ## coverage of intervals and levels of tests in full; figures go to benchmarks/history.jsonl (about an hour)
	GANVAS_SIMULATE=1 $(BIN)/python -m pytest -q -n $(WORKERS) -m simulate tests/metrics tests/claims tests/dissect

browser: setup ## the studio in a real Chromium (apt-get install chromium-headless-shell), with axe-core by npm
	$(BIN)/python -m pip install -qq 'playwright>=1.50'
	@test -d .axe/node_modules/axe-core || npm install --silent --no-audit --no-fund --prefix .axe axe-core@4.14.1
	GANVAS_BROWSER=1 $(BIN)/python -m pytest -q -rs tests/app/browser

machines: setup ## many processes: killed, cut off, as ranks of every kind of model (some minutes; as root with namespaces)
	GANVAS_MACHINES=1 $(BIN)/python -m pytest -q -rs -s -m machines tests/machines $(MANY_PROCESSES)

long: setup ## tests that the suite has a small form of: the deepest networks, whole archives (some minutes)
	GANVAS_LONG=1 $(BIN)/python -m pytest -q -n $(WORKERS) -m long tests

lint: setup ## format, lint, floors
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/lint-imports --no-logo
	$(BIN)/python scripts/hygiene.py

format: setup ## put the code into its format
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

types: setup ## static types of the package
	$(BIN)/basedpyright --pythonpath $(BIN)/python

docs: setup ## the pages, into docs/_build/index.html; a warning is an error
	$(BIN)/python -m sphinx -W --keep-going -q docs docs/_build

references: setup ## every reference of the pages, without writing them: two minutes where `make docs` takes twenty
	$(BIN)/python -m sphinx -W --keep-going -q -b dummy docs docs/_build/references

mutants: setup ## plant faults; every one must turn a test red
	$(BIN)/python scripts/mutants.py --jobs $(WORKERS)

fuzz: setup ## harm every kind of file that is read; none may end in a traceback (about 10 minutes; FUZZ="--seconds 60")
	$(BIN)/python scripts/fuzz.py $(FUZZ)

bench: setup ## run the benchmarks; figures go to benchmarks/history.jsonl
	@for file in $(BENCHMARKS); do echo "== $$file"; PYTHONPATH=. $(BIN)/python $$file || exit 1; done

gates: setup ## train small models and hold each against floors that need no learning
	@for gate in $(GATES); do $(BIN)/python -m benchmarks.gates.$$gate || missed="$$missed $$gate"; done; \
	  test -z "$$missed" || { echo "Missed:$$missed" >&2; exit 1; }

families: setup ## measure every family again, for docs/families.md and `ganvas advise` (about half an hour)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.families
	$(BIN)/python scripts/families_table.py

claims: setup ## judge every claim again; verdicts and docs/claims.md are written
	$(BIN)/python scripts/claims_board.py

peers: $(PEERS_STAMP) ## metrics against other libraries, installed into .venv-peers (brings torchvision)
	$(PEERS)/bin/python -m pytest -q -rs tests/peers

parity: $(PEERS_STAMP) ## make the tables of docs/parity.md again (about 4 minutes)
	$(PEERS)/bin/python benchmarks/parity.py --write docs/parity.md

bench-peers: $(PEERS_STAMP) ## speed, memory and faults beside other libraries (about 7 minutes on a quiet machine)
	$(PEERS)/bin/python benchmarks/anatomy.py
	$(PEERS)/bin/python benchmarks/metrics_peers.py

$(PEERS_STAMP): pyproject.toml benchmarks/peers.txt $(wildcard $(CONSTRAINTS))
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	@echo "Installing Ganvas and the libraries that it is held against into $(PEERS)."
	@$(PEERS)/bin/python -m pip install -qq --editable '.[dev]' --requirement benchmarks/peers.txt $(addprefix --constraint ,$(CONSTRAINTS))
	@touch $@

foreign: $(FOREIGN_STAMP) ## table, diagram, field, signal and rewrite of networks by others, installed into .venv-foreign
	$(FOREIGN)/bin/python -m pytest -q -rs tests/foreign

$(FOREIGN_STAMP): pyproject.toml benchmarks/foreign.txt $(wildcard $(CONSTRAINTS))
	@test -x $(FOREIGN)/bin/python || $(PYTHON) -m venv $(FOREIGN)
	@echo "Installing Ganvas and packages with networks by others into $(FOREIGN)."
	@$(FOREIGN)/bin/python -m pip install -qq --editable '.[dev]' --requirement benchmarks/foreign.txt $(addprefix --constraint ,$(CONSTRAINTS))
	@touch $@

check: lint types test references mutants ## everything that must hold before a change goes in

clean: ## remove the environment and everything that can be made again; runs/ stays
	rm -rf $(VENV) $(PEERS) $(FOREIGN) docs/_build docs/api .axe build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
