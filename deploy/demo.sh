#!/usr/bin/env bash
# demo.sh SIGHTLINE: films 200 simulated parts (once), then inspects the film against its truth.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

sightline=$1
footage=out/demo/footage
replay=out/demo/replay
filming=(--parts 200 --width 1920 --height 1080 --as video)

# The stamp is written last: footage that was cut short is made again.
if [ "$(cat "$footage/made-with" 2>/dev/null)" != "${filming[*]}" ]; then
    printf 'demo: filming the simulated line into %s\n' "$footage"
    rm -rf "$footage"
    "$sightline" simulate --out "$footage" "${filming[@]}"
    printf '%s\n' "${filming[*]}" >"$footage/made-with"
fi

printf 'demo: inspecting %s\n' "$footage"
rm -rf "$replay"
"$sightline" replay "$footage/footage.mkv" --recipe models/zoo/simulated-parts/recipe.toml \
    --truth "$footage/truth.csv" --out "$replay"
printf 'demo: the report with pictures is %s\n' "$PWD/$replay/report.html"
