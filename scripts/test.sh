#!/usr/bin/env bash
# All tests in three processes at a time: the library; the workspace in a browser, which mostly waits for its engine;
# Slicer's module in the stand-in for its Qt layer. Qt, VTK's render windows and PyTorch in one process would share more
# than they would in use.
# Usage: scripts/test.sh PYTEST [option ...]
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pytest=$1
shift
web=$(mktemp) desktop=$(mktemp)
trap 'rm -f "$web" "$desktop"' EXIT

# 5: none of the part's tests was chosen, such as by -k.
part() {
    "$pytest" "$@"
    local status=$?
    [ $status -ne 5 ] || status=0
    return $status
}

part Testing/web "$@" >"$web" 2>&1 &
in_browser=$!
part Testing/host Testing/desktop "$@" >"$desktop" 2>&1 &
in_slicer=$!
part Testing --ignore=Testing/host --ignore=Testing/desktop --ignore=Testing/web "$@"
status=$?
wait "$in_browser" || status=1
wait "$in_slicer" || status=1
cat "$web" "$desktop"
exit "$status"
