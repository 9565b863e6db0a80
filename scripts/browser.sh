#!/usr/bin/env bash
# The browser that the tests drive: installed when root, asked for otherwise; without it those tests are skipped.
# Usage: scripts/browser.sh DEBIAN_PACKAGE ...
set -euo pipefail

if command -v chromium >/dev/null || command -v google-chrome >/dev/null; then
    exit 0
fi
if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
else
    echo "tests: the ones in a browser are skipped; to run them too: sudo apt-get install -y $*" >&2
fi
