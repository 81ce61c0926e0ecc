# Lookalike's commands. They need python3 (3.11 to 3.13) and make; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO_READY := $(VENV)/.ready-demo
DATASET ?=
PHOTOS ?=
BACKGROUNDS ?=
NEGATIVES ?=
MODEL ?= fashion
OBSERVE ?=
COMPOSE_SERVERS ?= auto
TEST_WORKERS ?= auto
export DATASET PHOTOS
# Without byte code, each process that a command or a test starts compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE
# The first one takes the longest.
LINTERS := lint-types lint-style lint-imports lint-javascript lint-prose
.DEFAULT_GOAL := help
# Known vulnerabilities, licences, a bill of materials.
LIST ?= all
.PHONY: $(LINTERS) page-check audit licences sbom help setup demo stop test lint format bench faults overload soak fairness attack fuzz mutants train evaluate evaluate-detector evaluate-look clean docs openapi commands compose-test

# In a folder that was moved, the environment is set up again.
ifneq ($(shell cat $(VENV)/.path 2>/dev/null || readlink -f $(VENV)),$(shell readlink -f $(VENV)))
$(shell rm -f $(READY) $(DEMO_READY))
endif

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Install all pinned dependencies, those for tests and training too

$(READY): requirements/all.txt pyproject.toml tools/setup.sh
	@LIST=all PYTHON="$(PYTHON)" VENV="$(VENV)" sh tools/setup.sh

$(DEMO_READY): requirements/demo.txt pyproject.toml tools/setup.sh
	@LIST=demo PYTHON="$(PYTHON)" VENV="$(VENV)" sh tools/setup.sh

demo: $(DEMO_READY) ## Start the stack, import a catalogue (DATASET=archive.zip, or drawn samples), search [OBSERVE=1: with Prometheus]
	@$(if $(OBSERVE),LOOKALIKE_OBSERVE=true )$(BIN)/lookalike demo $(if $(DATASET),--dataset "$(DATASET)")

stop: ## Stop what make demo started
	@if [ -x $(BIN)/lookalike ]; then $(BIN)/lookalike down; else echo "the stack is not running"; fi

test: $(READY) ## Run all tests in parallel; those on real data need DATASET and PHOTOS [TEST_WORKERS=4]
	@$(BIN)/pytest -n $(TEST_WORKERS)

lint: $(READY) ## Check style, types, imports, JavaScript and prose, two checks at a time
	@$(MAKE) --no-print-directory --jobs=2 --keep-going $(LINTERS)

lint-types:
	@$(BIN)/mypy

lint-style:
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

lint-imports:
	@$(BIN)/lint-imports

lint-javascript:
	@$(BIN)/python -m tools.javascript

lint-prose:
	@$(BIN)/python -m tools.prose

format: $(READY) ## Format the code
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .
	@$(BIN)/python -m tools.javascript --fix

page-check: $(READY) ## Run axe in every state of the pages, in every language [PAGE_OPTIONS="--languages de ar"]
	@$(BIN)/python -m tools.page_states.check $(PAGE_OPTIONS)

bench: $(READY) ## Measure searches, imports and services [BENCH="index page"]
	@$(BIN)/python -m tests.benchmarks $(BENCH)

faults: $(READY) ## Kill database, index and import while products change, and compare; then let each process fail under load [FAULTS_OPTIONS="--operations 2000 --kills 3"] [OUTAGES_OPTIONS="--only 'stop tfs'"]
	@$(BIN)/python -m tests.faults $(FAULTS_OPTIONS)
	@$(BIN)/python -m tests.faults.outages $(OUTAGES_OPTIONS)

overload: $(READY) ## Send three times as many searches as the stack can answer [OVERLOAD_OPTIONS="--seconds 10"]
	@$(BIN)/python -m tests.load.overload $(OVERLOAD_OPTIONS)

soak: $(READY) ## Search and change products for half an hour, and watch memory, files, threads and tasks [SOAK_OPTIONS="--minutes 5"]
	@$(BIN)/python -m tests.load.soak $(SOAK_OPTIONS)

fairness: $(READY) ## Rotate a key under load; search next to a client that sends all it can [FAIRNESS_OPTIONS="--seconds 5"]
	@$(BIN)/python -m tests.load.access $(FAIRNESS_OPTIONS)

attack: $(READY) ## Attack a whole stack next to honest clients, within the memory of the Compose file [ATTACK_OPTIONS="--only picture"]
	@$(BIN)/python -m tests.attack $(ATTACK_OPTIONS)

fuzz: $(READY) ## Call every operation with generated requests, and search by damaged images [FUZZ_OPTIONS="--examples 100 --images 1000"]
	@$(BIN)/python -m tests.fuzz $(FUZZ_OPTIONS)

mutants: $(READY) ## Change the code in single places and count what the tests notice [MUTANTS="--seed 1 --count 150 --package services/index"]
	@$(BIN)/python -m tools.mutants $(MUTANTS)

audit: $(READY) ## Look for known vulnerabilities of the pinned packages [LIST=gateway]
	@$(BIN)/python -m tools.supply_chain audit --list "$(LIST)"

licences: $(READY) ## List the licences of the pinned packages [LIST=gateway]
	@$(BIN)/python -m tools.supply_chain licences --list "$(LIST)"

sbom: $(READY) ## Print a bill of materials in CycloneDX [LIST=gateway]
	@$(BIN)/python -m tools.supply_chain sbom --list "$(LIST)"

compose-test: $(READY) ## Build, start, disturb and remove the Compose stack [COMPOSE_SERVERS=real]
	@$(BIN)/python -m tools.compose_test --servers $(COMPOSE_SERVERS)

train: $(READY) ## Train a network: DATASET=archive.zip [MODEL=fashion|baseline|detector|look] [PHOTOS=photos.zip] [STREET=street.zip] [STREET_PHOTOS=photos.zip] [NEGATIVES=negatives.zip] [DETAILED=shots.zip] [BACKGROUNDS=folder]
	@test -n "$(DATASET)" || { echo "name the archives: make train DATASET=path/to/archive.zip PHOTOS=path/to/photos.zip"; exit 2; }
	@$(BIN)/lookalike train --dataset "$(DATASET)" --model "$(MODEL)" $(if $(PHOTOS),--photos "$(PHOTOS)") \
	  $(if $(STREET_PHOTOS),--street-photos "$(STREET_PHOTOS)") $(if $(STREET),--street "$(STREET)") $(if $(NEGATIVES),--negatives "$(NEGATIVES)") $(if $(DETAILED),--detailed "$(DETAILED)") \
	  $(if $(BACKGROUNDS),--backgrounds "$(BACKGROUNDS)") $(TRAIN_OPTIONS)

evaluate: $(READY) ## Measure a model: DATASET=archive.zip [MODEL_DIR=models/fashion/3] [PHOTOS=photos.zip] [STREET=street.zip] [NEGATIVES=negatives.zip|folder] [BACKGROUNDS=folder] [STREET_PHOTOS=photos.zip] [GRIDS=folder] [UNUSUAL=1]
	@test -n "$(DATASET)" || { echo "name the archive: make evaluate DATASET=path/to/archive.zip"; exit 2; }
	@$(BIN)/lookalike evaluate --model "$(or $(MODEL_DIR),models/fashion/3)" --dataset "$(DATASET)" $(if $(PHOTOS),--photos "$(PHOTOS)") \
	  $(if $(BACKGROUNDS),--backgrounds "$(BACKGROUNDS)") $(if $(NEGATIVES),--negatives "$(NEGATIVES)") \
	  $(if $(STREET),--street "$(STREET)") $(if $(STREET_PHOTOS),--street-photos "$(STREET_PHOTOS)") $(if $(GRIDS),--grids "$(GRIDS)") $(if $(UNUSUAL),--unusual)

evaluate-detector: $(READY) ## Measure the detector: DATASET=archive.zip [MODEL_DIR=models/detector/2] [PHOTOS=photos.zip] [STREET_PHOTOS=photos.zip] [BACKGROUNDS=folder]
	@test -n "$(DATASET)" || { echo "name the archive: make evaluate-detector DATASET=path/to/archive.zip"; exit 2; }
	@$(BIN)/lookalike evaluate-detector --model "$(or $(MODEL_DIR),models/detector/2)" --dataset "$(DATASET)" \
	  $(if $(PHOTOS),--photos "$(PHOTOS)") $(if $(STREET_PHOTOS),--street-photos "$(STREET_PHOTOS)") $(if $(BACKGROUNDS),--backgrounds "$(BACKGROUNDS)")

evaluate-look: $(READY) ## Measure the look model: STREET=street-garments.zip [MODEL_DIR=models/look/1]
	@test -n "$(STREET)" || { echo "name the archive: make evaluate-look STREET=path/to/street-garments.zip"; exit 2; }
	@$(BIN)/lookalike evaluate-look --model "$(or $(MODEL_DIR),models/look/1)" --street "$(STREET)"

clean: stop ## Remove the local stack's data and the virtual environment
	@rm -rf var $(VENV)

docs: $(READY) ## Build the documentation as a site in var/site, without network access
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict && echo "the site is in var/site: open var/site/index.html"

openapi: $(READY) ## Write docs/openapi.json, and what the tests compare: internal services, schemas of files
	@$(BIN)/python -m tools.openapi > docs/openapi.json
	@$(BIN)/python -m tools.openapi embedding > tests/contract/openapi/embedding.json
	@$(BIN)/python -m tools.openapi index > tests/contract/openapi/index.json
	@$(BIN)/python -m tools.openapi files > tests/contract/openapi/files.json

commands: $(READY) ## Write docs/commands.md
	@$(BIN)/python -m tools.commands
