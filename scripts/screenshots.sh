#!/usr/bin/env bash
# Makes the pictures of README and docs from the product itself, so that they stay true. Needs chromium.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
.venv/bin/diffufusemed run Resources/SampleData/STS_010 --out "$out"
mkdir -p Resources/Screenshots
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,2600 \
    --screenshot=Resources/Screenshots/report.png "file://$out/report.html" 2>/dev/null
