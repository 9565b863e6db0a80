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

install_system_packages "$@"
make_venv
# setuptools comes first and is then used as it is, so that the build tool is pinned as well.
pip_install setuptools
pip_install --no-build-isolation -e '.[web,test]'
