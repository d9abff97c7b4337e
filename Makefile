# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test lint benchmark clean

demo: $(INSTALLED)
	$(BIN)/python tools/dataset_converters/digit_scenes.py data/digit_scenes
	$(BIN)/python tools/run_pipeline.py configs/mmct_digits.py \
	    configs/deeplabv3_r18_digits.py --work-dir work_dirs/demo

# A worker a core, four at most: each takes up to 2.5 GB of memory.
test: $(INSTALLED)
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(INSTALLED): setup.py $(wildcard requirements/*.txt)
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "error: Python's venv module is missing; run: sudo apt-get" \
	         "install -y python3-venv"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install -e '.[tests]'
	@$(BIN)/python -c 'import cv2' || { \
	    echo "No graphics libraries here: taking OpenCV's headless build"; \
	    $(BIN)/python -m pip uninstall --quiet -y opencv-python && \
	    $(BIN)/python -m pip install --quiet opencv-python-headless && \
	    $(BIN)/python -c 'import cv2'; }
	touch $@

clean:
	rm -rf $(VENV) data/digit_scenes work_dirs/demo
