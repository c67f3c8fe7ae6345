# `make help` lists what there is. Everything happens in .venv, which the first target makes; each target installs
# what it needs: the program alone (base), what `retrain` needs (train), or everything (dev).
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --editable
BASE := .venv/.ready-base
TRAIN := .venv/.ready-train
DEV := .venv/.ready-dev

.DEFAULT_GOAL := help
.PHONY: help demo loop-demo test test-all check defaults format docs bench mutants notebook pictures wheel package \
	lowest clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "sentimon needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv

# Who has more has less, too: what was installed for the tests is not installed again for the demo.
$(BASE): pyproject.toml | $(BIN)/python
	$(INSTALL) .
	@touch $@

$(TRAIN): pyproject.toml | $(BIN)/python
	$(INSTALL) '.[train]'
	@touch $(BASE) $@

$(DEV): pyproject.toml | $(BIN)/python
	$(INSTALL) '.[dev]'
	@touch $(BASE) $(TRAIN) $@

demo: $(BASE) ## Install, and walk the whole way on the sample that ships
	$(BIN)/python -m sentimon.sample

loop-demo: $(TRAIN) ## Drift, labels, retrain, promote; DATA=DIR: on labelled tweets
	$(BIN)/python benchmarks/loop.py $(DATA)

test: $(DEV) ## Run the tests (minutes)
	$(BIN)/python -m pytest -q -n 2 --dist worksteal

test-all: $(DEV) ## Run the tests, the slow ones too
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m 'slow or not slow'

check: $(DEV) ## Lint, types, dead code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/vulture

defaults: $(BASE) ## Write configs/default.toml from the settings
	$(BIN)/python -m sentimon.config.template > configs/default.toml.new
	mv configs/default.toml.new configs/default.toml

docs: $(BASE) ## Write the pages of docs/reference, and build the site into build/docs
	$(BIN)/python docs/generate.py
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --config-file configs/mkdocs.yml

format: $(DEV) ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(DEV) ## Measure (see benchmarks/README.md)
	$(BIN)/python benchmarks/scoring.py
	$(BIN)/python benchmarks/appending.py
	$(BIN)/python benchmarks/reading.py

mutants: $(DEV) ## Do the tests of the formulas notice a wrong one? (long; ARGS=--all: longer)
	$(BIN)/python benchmarks/mutants.py $(ARGS)

notebook: $(DEV) ## Run the notebook anew, offline, and keep its outputs
	$(BIN)/python notebooks/run.py

pictures: $(DEV) ## Draw the pictures of README and docs anew
	$(BIN)/python notebooks/pictures.py

wheel: $(BASE) ## Build the wheel into dist/
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

package: $(DEV) ## Build wheel and sdist into dist/, check them, try the wheel in an environment of its own
	$(BIN)/python .ci/package.py

lowest: $(DEV) ## Try the lowest versions of what the program needs that pyproject.toml allows
	$(BIN)/python .ci/lowest.py

clean: ## Remove what was built and installed
	rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
