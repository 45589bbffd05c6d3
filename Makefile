# make reproduce   every chapter, headless, two at a time, and the table of claims
# make test        ruff, import-linter, pytest with doctests, nbval
# make bench       speed against peers, one run, this machine
# make site        the course as a site, in runs/site/html
# make test-browser  the site, the reports and four chapters in Chromium; screenshots in runs/browser
# make pdf         the chapters on paper, in runs/site/course.pdf
# make lite        what chapters 00 and 01 miss to run inside a page: PYODIDE=FOLDER, docs/reproduce.md
# make sliders     draw the pictures of interactive views for the site: every chapter is run
# make lab         the chapters in JupyterLab, with a start page
# make gpu         go on with the trainings worth most, on a GPU: GPU_MINUTES=15 each; weights, cards and records to commit
# make notebooks   execute the chapters in place, as they are committed
# make clean       remove the environment and all runs

PYTHON ?= python3
BIN    := .venv/bin
READY  := .venv/.ready
SITE   := .venv/.site
BROWSER := .venv/.browser
CONSTRAINTS ?= constraints.txt
GPU_MINUTES ?= 15
GPU_TRAININGS ?= blind_spot_rgb_impulse50 blind_spot_rgb_poisson30 blind_spot_rgb_sigma25_long \
	blind_spot_rgb_sigma5to50_unknown_long photographs_rgb distilled_phones
export JUPYTER_PREFER_ENV_PATH = 1

.PHONY: reproduce test bench site test-browser pdf lite sliders lab gpu notebooks clean
.DEFAULT_GOAL := reproduce

reproduce: $(READY)
	@$(BIN)/dnlib run --cluster local:2

test: export OMP_NUM_THREADS = 1
test: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m pytest -n logical --dist worksteal
	@DNLIB_PROFILE=smoke DNLIB_HEADLESS=1 $(BIN)/python -m pytest -n logical --dist loadfile --nbval-lax --nbval-current-env notebooks

bench: $(READY)
	@for question in course donut denoise host training noise2void blind_spot correlation inspection patches patch_craft blind_patch ssid; do $(BIN)/python benchmarks/$$question.py || exit 1; done

site: export OMP_NUM_THREADS = 1
site: $(SITE)
	@$(BIN)/python -m pytest -q tests/site docs/building
	@$(BIN)/python docs/build.py

test-browser: export OMP_NUM_THREADS = 1
test-browser: site $(BROWSER)
	@DNLIB_BROWSER=1 $(BIN)/python -m pytest tests/browser

pdf: site $(BROWSER)
	@$(BIN)/python docs/pdf.py

lite: $(READY)
	@$(BIN)/python docs/lite.py "$(PYODIDE)"

sliders: $(READY)
	@DNLIB_STATES=$(CURDIR)/results/states $(BIN)/dnlib run --out runs/sliders

lab: $(READY)
	@$(BIN)/dnlib lab

gpu: $(READY)
	@$(BIN)/dnlib train $(GPU_TRAININGS) --more $(GPU_MINUTES)m --device cuda --publish
	@echo "Commit data/weights. Then: dnlib run 04 --profile smoke --device cuda -p dataset kodak24 --publish"

notebooks: $(READY)
	@$(BIN)/dnlib run --in-place

clean:
	rm -rf .venv runs

# The environment is made anew whenever what it should hold has changed.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; (3, 11) <= v < (3, 14) or sys.exit(f"Python {v[0]}.{v[1]} was found; dnlib needs 3.11 to 3.13. Name one: make PYTHON=python3.12")'
	@echo "Preparing the environment in .venv (once; a few minutes) ..."
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e ".[test]"
	@touch $@

$(SITE): $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e ".[test,site]"
	@touch $@

$(BROWSER): $(SITE)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e ".[test,site,browser]"
	@touch $@
