# `make help` lists what there is. Everything happens in .venv, which the first target makes.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help demo loop-demo test test-all check defaults format docs bench mutants notebook pictures wheel clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "sentimon needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

demo: $(READY) ## Install, and walk the whole way on the sample that ships
	$(BIN)/python -m sentimon.sample

loop-demo: $(READY) ## Drift, labels, retrain, promote; DATA=DIR: on labelled tweets
	$(BIN)/python benchmarks/loop.py $(DATA)

test: $(READY) ## Run the tests (minutes)
	$(BIN)/python -m pytest -q -n 2 --dist worksteal

test-all: $(READY) ## Run the tests, the slow ones too
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m 'slow or not slow'

check: $(READY) ## Lint, types, dead code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/vulture

defaults: $(READY) ## Write configs/default.toml from the settings
	$(BIN)/python -m sentimon.config.template > configs/default.toml.new
	mv configs/default.toml.new configs/default.toml

docs: $(READY) ## Write the pages of docs/reference, and build the site into build/docs
	$(BIN)/python docs/generate.py
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --config-file configs/mkdocs.yml

format: $(READY) ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## Measure (see benchmarks/README.md)
	$(BIN)/python benchmarks/scoring.py
	$(BIN)/python benchmarks/appending.py
	$(BIN)/python benchmarks/reading.py

mutants: $(READY) ## Do the tests of the formulas notice a wrong one? (long; ARGS=--all: longer)
	$(BIN)/python benchmarks/mutants.py $(ARGS)

notebook: $(READY) ## Run the notebook anew, offline, and keep its outputs
	$(BIN)/python notebooks/run.py

pictures: $(READY) ## Draw the pictures of README and docs anew
	$(BIN)/python notebooks/pictures.py

wheel: $(READY) ## Build the wheel into dist/
	$(BIN)/python -m build --wheel

clean: ## Remove what was built and installed
	rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
