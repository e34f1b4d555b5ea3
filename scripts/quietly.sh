#!/bin/bash
# quietly.sh WHAT COMMAND...: run a command, print one line when it works and all of its errors when it does not.
what=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
started=$SECONDS
echo "$what ..."
if "$@" >"$log" 2>&1; then
    echo "$what: done in $((SECONDS - started)) s"
else
    status=$?
    grep -nE '(error|fatal)(:|\[)' "$log" | sort -u -t: -k2 | head -60
    echo "---- the last lines of: $*"
    tail -40 "$log"
    echo "$what: FAILED with status $status after $((SECONDS - started)) s"
    exit "$status"
fi
