#!/bin/bash
# Install what the build and the tests need and the machine lacks (Debian and Ubuntu, as root); elsewhere say what is missing.
set -eu
packages=()
if [ "$(uname -s)" = Linux ]; then
    [ -e /usr/include/zlib.h ] || packages+=(zlib1g-dev)
    [ -e /usr/include/libstemmer.h ] || packages+=(libstemmer-dev)
    command -v git >/dev/null || packages+=(git)
    command -v python3 >/dev/null || packages+=(python3)
    python3 -c 'import venv, ensurepip' 2>/dev/null || packages+=(python3-venv)
fi
if [ ${#packages[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing ${packages[*]} ..."
        log=$(mktemp)
        if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"; } \
            >"$log" 2>&1; then
            tail -20 "$log"
            exit 1
        fi
        rm -f "$log"
    else
        echo "Please install: ${packages[*]}" >&2
        exit 1
    fi
fi
if ! command -v swift >/dev/null; then
    echo "No 'swift' on the PATH. Install Swift 6.3 or later from https://www.swift.org/install" >&2
    exit 1
fi
