#!/usr/bin/env bash
# Make the virtual environment VENV with the pinned versions; the only step that needs a network.
# Usage: [PYTHON=python3] scripts/setup.sh VENV [DEBIAN_PACKAGE ...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=$1
shift
python=${PYTHON:-python3}

fail() {
    echo "setup: $*" >&2
    exit 1
}

check_python() {
    command -v "$python" >/dev/null || fail "no '$python' on the path; install Python 3.11 or newer, or name it: make setup PYTHON=python3.12"
    # The pinned numpy, scipy and matplotlib have no build for an older Python.
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "'$python' is $("$python" --version 2>&1), wanted Python 3.11 or newer; name one: make setup PYTHON=python3.12"
}

missing_packages() {
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || echo "$package"
    done
}

# Only Debian and its kin can be asked what is installed; elsewhere the import that needs the library says so.
install_system_packages() {
    command -v dpkg-query >/dev/null || return 0
    local missing
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" -eq 0 ] || fail "system libraries are missing; run: sudo apt-get install -y ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

make_venv() {
    if [ -x "$venv/bin/python" ] && "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        return
    fi
    check_python
    "$python" -m venv --clear "$venv" ||
        fail "'$python -m venv' failed; on Debian or Ubuntu run: sudo apt-get install -y python3-venv"
}

pip_install() {
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check -c constraints.txt "$@" ||
        fail "pip could not install ($*); its message is above. This step needs the network once, nothing after it does"
}

# What hashes.txt knows the files of; elsewhere versions are pinned alone.
has_hashes() {
    "$venv/bin/python" -c 'import platform, sys
sys.exit(not (sys.platform == "linux" and platform.machine() == "x86_64" and (3, 11) <= sys.version_info[:2] <= (3, 13)))'
}

install_checked() {
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes --no-deps --only-binary=:all: \
        -r hashes.txt ||
        fail "pip could not install hashes.txt; its message is above. This step needs the network once, nothing after it does"
}

install_system_packages "$@"
make_venv
if has_hashes; then
    install_checked
else
    echo "setup: hashes are known for Linux x86-64 and Python 3.11 to 3.13; here versions are pinned and files not checked" >&2
fi
# setuptools comes first and is then used as it is, so that the build tool is pinned as well. torch comes here, without a
# hash: each index has builds of its own of one version, and those with CUDA bring libraries of their own.
pip_install setuptools
pip_install --no-build-isolation -e '.[web,test]'
