PYTHON := .venv/bin/python
STAMP := .venv/.installed
OLDEST := .venv-oldest
RECIPES := .venv-recipes
RELEASE := .venv-release
BENCH_STAMP := .venv/.installed-benchmarks
DOCS_STAMP := .venv/.installed-docs

.DEFAULT_GOAL := help
.PHONY: help install types recipes release stubs test test-all test-oldest demo bench bench-quick bench-data evidence evidence-quick docs docs-test clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 14

install: $(STAMP)  ## make .venv with the package (editable) and all that the tests need

# Installed anew only when what it depends on has changed.
$(STAMP): setup.cfg pyproject.toml
	test -x $(PYTHON) || python3 -m venv .venv
	$(PYTHON) -m pip install --quiet --editable ".[tests,plots,data]"
	touch $@

$(BENCH_STAMP): $(STAMP)
	$(PYTHON) -m pip install --quiet --editable ".[tests,plots,data,benchmarks]"
	touch $@

$(DOCS_STAMP): $(STAMP)
	$(PYTHON) -m pip install --quiet --editable ".[tests,plots,data,docs]"
	touch $@

test: install  ## check the style and run the tests, of tables of cases as many as cover all pairs, in 6 minutes
	$(PYTHON) -m ruff check .
	$(PYTHON) -m pytest -n 2

# They bring heavy packages, in versions of their own choice.
$(RECIPES)/.installed: setup.cfg pyproject.toml
	test -x $(RECIPES)/bin/python || python3 -m venv $(RECIPES)
	$(RECIPES)/bin/python -m pip install --quiet --editable ".[tests,plots,data,recipes]"
	touch $@

recipes: $(RECIPES)/.installed  ## run all pages of docs/recipes, and the adapters inside the toolkits that they are for
	$(RECIPES)/bin/python -m pytest --recipes tests/test_recipes.py tests/test_contrib.py

# The wheel holds what git knows of the package, and works where nothing else is installed, types included.
release:  ## build the distribution, check it, and try the wheel in an environment of its own
	rm -rf build dist $(RELEASE)
	python3 -m venv $(RELEASE)
	$(RELEASE)/bin/python -m pip install --quiet build twine mypy
	$(RELEASE)/bin/python -m build --outdir dist
	$(RELEASE)/bin/python -m twine check --strict dist/*
	git ls-files convexmtl | sort > dist/expected.txt
	python3 -m zipfile --list dist/*.whl | awk '/^convexmtl\// {print $$1}' | sort | diff dist/expected.txt -
	rm dist/expected.txt
	$(RELEASE)/bin/python -m pip install --quiet dist/*.whl
	cd tests/typed && ../../$(RELEASE)/bin/python -m mypy --config-file ../../setup.cfg user.py
	cd tests/typed && ../../$(RELEASE)/bin/python -W error -c "import user; user.fits(); print(user.mtl.__file__)"

STUBS = $(shell find convexmtl -name '*.pyi' | sed 's/\.pyi$$//; s/\/__init__$$//; s/\//./g')

types: install  ## check what a user may write by its types, and that the stubs say what the classes and functions are
	$(PYTHON) -m mypy tests/typed/user.py
	$(PYTHON) -m mypy.stubtest --mypy-config-file setup.cfg --ignore-missing-stub \
		--allowlist tests/typed/stubtest_allowed.txt --ignore-unused-allowlist $(STUBS)

stubs: install  ## write the types of the estimators' parameters anew
	$(PYTHON) tests/stubs.py

test-all: install  ## check the style and run all tests, every case of every table
	$(PYTHON) -m ruff check .
	$(PYTHON) -m pytest -n 2 --all

# What setup.cfg declares as the oldest versions, of what the tests need as well, in an environment of its own;
# and a pyparsing that does not warn of how matplotlib 3.7 calls it.
OLDEST_PINS = $(shell sed -n '/^install_requires/,/^\[/p; /^tests =/,/^benchmarks/p' setup.cfg | \
	sed -n 's/^ *\([a-z-]*\)>=\(.*\)$$/\1==\2.*/p') pyparsing==3.1.*

$(OLDEST)/.installed: setup.cfg pyproject.toml
	test -x $(OLDEST)/bin/python || python3 -m venv $(OLDEST)
	printf '%s\n' $(OLDEST_PINS) > $(OLDEST)/pins.txt
	# (All at once keeps pip busy for a quarter of an hour.)
	$(OLDEST)/bin/python -m pip install --quiet $(OLDEST_PINS)
	$(OLDEST)/bin/python -m pip install --quiet --constraint $(OLDEST)/pins.txt --editable ".[tests,plots,data]"
	touch $@

test-oldest: $(OLDEST)/.installed  ## run the tests with the oldest versions that setup.cfg declares
	$(OLDEST)/bin/python -m pytest -n 2

demo: install  ## run the demonstration; its pictures go to demo_output
	$(PYTHON) -m benchmarks.demo

bench: $(BENCH_STAMP)  ## race all solvers, 40 minutes: results and docs/race.md; DATA=folder for the measured data
	$(PYTHON) -m benchmarks.race.run --extras $(if $(DATA),--data "$(DATA)")
	$(PYTHON) -m benchmarks.race.report

bench-quick: $(BENCH_STAMP)  ## race all solvers on one small problem of each kind, below 5 minutes
	$(PYTHON) -m benchmarks.race.run --quick $(if $(DATA),--data "$(DATA)")

bench-data: install  ## compare the families on a folder of data: make bench-data DATA=folder
	$(if $(DATA),,$(error DATA is not set: make bench-data DATA=folder))
	$(PYTHON) -m benchmarks.families "$(DATA)"

evidence: $(BENCH_STAMP)  ## measure what the models are worth, some hours: results and docs/evidence; DATA=folder for the measured data
	$(PYTHON) -m benchmarks.evidence $(if $(DATA),"$(DATA)")

evidence-quick: $(BENCH_STAMP)  ## measure a small part of all evidence, below 5 minutes
	$(PYTHON) -m benchmarks.evidence --quick $(if $(DATA),"$(DATA)")

docs: $(DOCS_STAMP)  ## build the site, warnings are errors: docs/_build/html/index.html
	MPLBACKEND=agg $(PYTHON) -m sphinx -q -W --keep-going -b html docs docs/_build/html

# A browser is the system's, where there is one.
BROWSER = $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
ROOT = $(if $(filter 0,$(shell id -u)),,sudo)

docs-test: docs  ## open the site in a headless Chromium, wide and narrow, light and dark; SHOTS=folder keeps pictures of it
	$(if $(BROWSER),,$(ROOT) apt-get update && $(ROOT) apt-get install --yes --no-install-recommends chromium)
	SHOTS="$(SHOTS)" $(PYTHON) -m pytest -q -n 0 docs/check_site.py

clean:  ## remove what was built, cached and drawn; .venv stays
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis demo_output docs/_build docs/generated docs/gallery
	find . -path './.venv*' -prune -o -name __pycache__ -type d -exec rm -rf {} +
