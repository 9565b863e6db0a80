#!/usr/bin/env bash
# All tests in three processes, two at a time: the library; the workspace in a browser, then Slicer's module in the
# stand-in for its Qt layer. Qt, VTK's render windows and PyTorch in one process would share more than they would in use.
# Usage: scripts/test.sh PYTEST [option ...]
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pytest=$1
shift

# Half of the cores for each of two parts. More threads than cores wait for each other at full speed: PyTorch's then take
# twice the work for the same prediction.
cores=$(nproc 2>/dev/null || echo 2)
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$(((cores + 1) / 2))}"
shown=$(mktemp)
trap 'rm -f "$shown"' EXIT

# 5: none of the part's tests was chosen, such as by -k.
part() {
    "$pytest" "$@"
    local status=$?
    [ $status -ne 5 ] || status=0
    return $status
}

hosts() {
    local failed=0
    part Testing/web "$@" || failed=1
    part Testing/host Testing/desktop "$@" || failed=1
    return $failed
}

hosts "$@" >"$shown" 2>&1 &
hosts=$!
part Testing --ignore=Testing/host --ignore=Testing/desktop --ignore=Testing/web "$@"
library=$?
wait "$hosts"
status=$?
cat "$shown"
exit $((library || status))
