# make serve and make test are all a newcomer needs; everything else is listed by make help.
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help serve ask test lint check format eval bench bench-peers bench-scale bench-soak bench-tables audit fuzz index clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 20

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13) and "rustqa needs Python 3.11 to 3.13; name it: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

serve: $(INSTALLED) ## Serve the chat page on 127.0.0.1 and open it (PORT=8000)
	$(BIN)/rustqa serve --port $(PORT) --open

ask: $(INSTALLED) ## Ask one question: make ask Q="why was the case dismissed?"
	@$(BIN)/rustqa ask "$$Q" || [ $$? -eq 1 ]
ask: export Q := $(value Q)

test: $(INSTALLED) ## Run all tests
	$(BIN)/python -m pytest

lint: $(INSTALLED) ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint test ## Check style and types, and run all tests

format: $(INSTALLED) ## Put the code into its standard form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

eval: $(INSTALLED) ## Score the answers on labelled questions: make eval EVAL=file
	$(BIN)/rustqa eval $(or $(EVAL),$(error name a file of labelled questions, as docs/evaluation.md describes them: make eval EVAL=file))

bench: $(INSTALLED) ## Measure rustqa beside the least that the same work takes
	PYTHONPATH=tests $(BIN)/python -m bench
	$(MAKE) bench-tables

bench-peers: $(INSTALLED) ## Measure rustqa beside other software, which is installed for this
	PYTHONPATH=tests $(BIN)/python -m bench.peers
	$(MAKE) bench-tables

bench-scale: $(INSTALLED) ## Measure how an index grows, up to a million passages (half an hour)
	PYTHONPATH=tests $(BIN)/python -m bench.scale
	$(MAKE) bench-tables

bench-soak: $(INSTALLED) ## Keep a server busy for MINUTES (10), and ask it more than it can do
	PYTHONPATH=tests $(BIN)/python -m bench.soak --minutes $(or $(MINUTES),10)
	$(MAKE) bench-tables

bench-tables: $(INSTALLED) ## Write the tables of the README and docs/ from what is saved
	PYTHONPATH=tests $(BIN)/python -m bench.tables

audit: $(INSTALLED) ## Look the pinned versions up among known vulnerabilities
	$(BIN)/python tests/audit.py

fuzz: $(INSTALLED) ## Throw bytes at every entrance, keep what fails: make fuzz MINUTES=15
	$(BIN)/python -m pip install --quiet --editable '.[dev,fuzz]'
	PYTHONPATH=tests $(BIN)/python -m fuzz --minutes $(or $(MINUTES),15)

index: $(INSTALLED) ## Build index/ from corpus/ anew
	$(BIN)/rustqa index corpus --index index

clean: ## Remove the environment and caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis dist build
