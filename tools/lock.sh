#!/bin/sh
# Resolve pyproject.toml into hash-pinned locks that hold for every platform and Python >= 3.11.
set -eu
common="--universal --python-version 3.11 --generate-hashes --no-header --quiet"
uv pip compile $common pyproject.toml --extra assets --group build --output-file requirements/run.lock
uv pip compile $common pyproject.toml --extra assets --extra pkcs11 --group build --group test \
  --constraint requirements/run.lock --output-file requirements/test.lock
