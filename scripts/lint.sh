#!/bin/bash
# Formatting of the Swift sources and the house rules of scripts/tidy.py; both always run.
cd "$(dirname "$0")/.." || exit 1
status=0
swift format lint --recursive --strict Sources Tests Fuzz Package.swift || status=1
python3 scripts/tidy.py || status=1
[ $status = 0 ] && echo "lint: clean"
exit $status
