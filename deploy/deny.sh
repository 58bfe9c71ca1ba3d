#!/usr/bin/env bash
# Licences, bans and sources of all crates (deny.toml), by a cargo-deny built once into the cache.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=0.20.2
tools=${XDG_CACHE_HOME:-$HOME/.cache}/sightline/tools
deny=$tools/cargo-deny-$version/bin/cargo-deny

if [ ! -x "$deny" ]; then
    printf 'deny: building cargo-deny %s (once, some minutes)\n' "$version"
    CARGO_TARGET_DIR=$tools/build cargo install --quiet --locked --debug \
        --root "$tools/cargo-deny-$version" --version "$version" cargo-deny
    rm -rf "$tools/build"
fi
"$deny" --locked check licenses bans sources
