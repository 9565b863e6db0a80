#!/usr/bin/env bash
# All tests in three processes, two at a time: the library beside the workspace in a browser; whichever of them ends first
# goes on with Slicer's module in the stand-in for its Qt layer. Qt, VTK's render windows and PyTorch in one process would
# share more than they would in use.
# Usage: scripts/test.sh PYTEST [option ...]
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pytest=$1
shift

# Half of the cores for each of two parts. More threads than cores wait for each other at full speed: PyTorch's then take
# twice the work for the same prediction.
cores=$(nproc 2>/dev/null || echo 2)
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$(((cores + 1) / 2))}"
kept=$(mktemp -d)
trap 'rm -rf "$kept"' EXIT

# 5: none of the part's tests was chosen, such as by -k.
part() {
    "$pytest" "$@"
    local status=$?
    [ $status -ne 5 ] || status=0
    return $status
}

# Whoever makes the folder is the first.
slicer() {
    mkdir "$kept/slicer" 2>/dev/null || return 0
    part Testing/host Testing/desktop "$@"
}

browser() {
    local failed=0
    part Testing/web "$@" || failed=1
    slicer "$@" || failed=1
    return $failed
}

library() {
    local failed=0
    part Testing --ignore=Testing/host --ignore=Testing/desktop --ignore=Testing/web "$@" || failed=1
    slicer "$@" || failed=1
    return $failed
}

browser "$@" >"$kept/shown" 2>&1 &
browser=$!
library "$@"
library=$?
wait "$browser"
status=$?
cat "$kept/shown"
exit $((library || status))
