#!/usr/bin/env bash
# All tests in nine processes, three at a time: whichever ends first goes on with the next part. Qt, VTK's render windows
# and PyTorch in one process would share more than they would in use. Three for two cores: browser, engines and Slicer
# wait for each other for a third of their time.
# Usage: [LINT="command"] scripts/test.sh PYTEST [option ...]; LINT runs last, beside the others' end.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pytest=$1 lint=${LINT:-}
unset LINT # a test that runs this script would lint again
shift

# Half of the cores for each part. More threads than cores wait for each other at full speed: PyTorch's then take
# twice the work for the same prediction.
cores=$(nproc 2>/dev/null || echo 2)
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$(((cores + 1) / 2))}"
kept=$(mktemp -d)
trap 'rm -rf "$kept"' EXIT
# Ctrl-C ends every lane: pytest alone would end with its part, and a shell's background jobs do not hear it.
trap 'trap - INT; rm -rf "$kept"; kill 0' INT

# The longest first, so that all ends come together; what lies below Testing/, and what is named nowhere is "rest".
parts=(slicer networks reading browser session commands engines rest files)
[ -z "$lint" ] || parts+=(lint)
reading=web/test_reading.py # half of the browser's time
folders() {
    case $1 in
        reading) echo "$reading" ;;
        browser) echo web ;;
        networks) echo systems tasks training networks models losses diffusion ;;
        commands) echo cli ;;
        engines) echo engine cluster ;;
        session) echo session ;;
        files) echo io preprocessing datasets mrml ;;
        slicer) echo host desktop ;;
    esac
}

chosen() {
    local folder other
    if [ "$1" = rest ]; then
        echo Testing
        for other in "${parts[@]}"; do
            for folder in $(folders "$other"); do echo "--ignore=Testing/$folder"; done
        done
    else
        for folder in $(folders "$1"); do echo "Testing/$folder"; done
        [ "$1" != browser ] || echo "--ignore=Testing/$reading"
    fi
}

# Prints what pytest said once it has ended, not between the lines of another lane's. 5: none of the part's tests was
# chosen, such as by -k.
part() {
    local name=$1 status
    shift
    echo "$name: begins"
    if [ "$name" = lint ]; then
        $lint
    else
        # shellcheck disable=SC2046
        "$pytest" $(chosen "$name") "$@"
    fi >"$kept/$name.said" 2>&1
    status=$?
    cat "$kept/$name.said"
    [ $status -eq 0 ] || [ $status -eq 5 ] || touch "$kept/failed"
}

# Whoever makes a part's folder takes it.
lane() {
    local name
    for name in "${parts[@]}"; do
        mkdir "$kept/$name" 2>/dev/null || continue
        part "$name" "$@"
    done
}

if [ "${1:-}" = --show-parts ]; then
    for name in "${parts[@]}"; do echo "$name: $(chosen "$name" | paste -sd' ')"; done
    exit
fi
for _ in 1 2 3; do lane "$@" & done
wait
[ ! -e "$kept/failed" ]
