#!/usr/bin/env bash
# Installs one group of third-party engines, at the versions pinned beside this file, into target/oracles.
#
#   bash tests/oracles/provision.sh python|duckdb|node
#
# Does nothing when the pinned versions are there already. Fails when they cannot be had; the caller decides
# whether that is a skip or a failure.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
target="${CARGO_TARGET_DIR:-$here/../../target}/oracles"
mkdir -p "$target"

# A stamp holds what was asked for, so that a changed pin or another interpreter installs anew.
current() { [[ -f "$1/stamp" && "$(cat "$1/stamp")" == "$2" ]]; }

# environment FOLDER REQUIREMENTS: a Python environment with exactly these packages.
environment() {
    local folder="$target/$1" requirements="$here/$2" wanted
    wanted="$(python3 --version) $(sha256sum <"$requirements")"
    current "$folder" "$wanted" && return
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --no-input --requirement "$requirements"
    printf '%s\n' "$wanted" >"$folder/stamp"
}

node_engines() {
    local folder="$target/node" wanted
    wanted="$(node --version) $(sha256sum <"$here/package-lock.json")"
    current "$folder" "$wanted" && return
    rm -rf "$folder"
    mkdir -p "$folder"
    cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$folder/"
    # No package of ours needs a script to install, so none may run one.
    npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error
    printf '%s\n' "$wanted" >"$folder/stamp"
}

case "${1:-}" in
    python) environment python requirements.txt ;;
    # Needs another runtime of its parser than the ES|QL grammar, so it cannot live beside that.
    duckdb) environment duckdb requirements_duckdb.txt ;;
    node) node_engines ;;
    *)
        echo "usage: provision.sh python|duckdb|node" >&2
        exit 2
        ;;
esac
