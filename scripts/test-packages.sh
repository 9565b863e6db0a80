#!/usr/bin/env bash
# What the tests drive beside the product: a browser, and the libraries that Qt's widgets want. Installed when root,
# asked for otherwise; a test whose program is missing is skipped and says so.
# Usage: scripts/test-packages.sh DEBIAN_PACKAGE ...
set -euo pipefail

command -v dpkg-query >/dev/null || exit 0
missing=()
for package in "$@"; do
    [ "$package" = chromium ] && command -v google-chrome >/dev/null && continue
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" -eq 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
    echo "tests: some are skipped; to run them too: sudo apt-get install -y ${missing[*]}" >&2
fi
