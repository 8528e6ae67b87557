#!/bin/sh
# Installs the package as a user would into an empty virtual environment and runs its tests.
# EPOCHSCOPE_VENV: where the environment is made and kept (default: a temporary folder that is removed again).
# EPOCHSCOPE_TORCH=1: with PyTorch (its builds on PyPI are several GB; EPOCHSCOPE_PIP_ARGS may name another index).
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}
extras=test
[ "${EPOCHSCOPE_TORCH:-0}" = 1 ] && extras=test,torch
venv=${EPOCHSCOPE_VENV:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
[ -n "$venv" ] || venv=$work/venv

fail() {
    printf 'python/ci.sh: %s\n' "$*" >&2
    exit 1
}

[ -x "$venv/bin/python" ] || "$python" -m venv "$venv" || fail "no virtual environment can be made with $python"
# a copy is built, so that nothing is left in the source tree
mkdir "$work/source"
cp -R pyproject.toml README.md epochscope tests "$work/source/"
# shellcheck disable=SC2086
if ! "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --retries 2 --timeout 20 \
    ${EPOCHSCOPE_PIP_ARGS:-} --upgrade "$work/source[$extras]"; then
    fail "pip could not install the package with numpy and pytest. The tests of the Python package need PyPI," \
        "or an environment in EPOCHSCOPE_VENV that has both and setuptools, with EPOCHSCOPE_PIP_ARGS='--no-build-isolation --no-index'"
fi
cd "$work/source"
rm -rf epochscope build ./*.egg-info # what is tested is what was installed
"$venv/bin/python" -m pytest -q -rs -p no:cacheprovider tests
