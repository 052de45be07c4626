#!/usr/bin/env bash
# Installs openclaw from the files of this action, and what it needs by hashes, in a place of its own.
set -euo pipefail

source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
place=$RUNNER_TEMP/openclaw

"${PYTHON:-python3}" -m venv --clear "$place"
pip=("$place/bin/python" -m pip install --quiet --disable-pip-version-check)
"${pip[@]}" --require-hashes -r "$source/requirements/build.txt"
"${pip[@]}" --require-hashes -r "$source/requirements/runtime.txt"
"${pip[@]}" --no-deps --no-build-isolation "$source"

"$place/bin/openclaw" --version
echo "$place/bin" >> "$GITHUB_PATH"
