#!/bin/sh
# Renders the scenes that simulated-parts is trained on (train-*) and reported on (held-*).
#
#     models/train/scenes.sh out/parts [target/release/sightline]
set -eu
out=$1
sightline=${2:-target/release/sightline}

# name seed parts height format defect-rate, then what else
scene() {
    name=$1 seed=$2 parts=$3 height=$4 format=$5 rate=$6
    shift 6
    "$sightline" simulate --out "$out/$name" --as parts --seed "$seed" --parts "$parts" \
        --width $((height * 16 / 9)) --height "$height" --format "$format" \
        --defect-rate "$rate" "$@"
}

scene train-1 101 260 1080 gray8 0.6
scene train-2 102 260 1080 nv12 0.6 --irregular
scene train-3 103 160 1080 gray8 0.6 --irregular --lanes 1
scene train-4 104 160 1080 rgb8 0.6 --lanes 3
scene train-5 105 160 720 gray8 0.6
scene train-6 106 160 720 nv12 0.6 --irregular
scene train-7 107 60 2160 gray8 0.6
scene train-8 108 60 2160 nv12 0.6
scene train-9 109 260 1080 gray8 0.6 --irregular

scene held-1 901 300 1080 gray8 0.2
scene held-2 902 300 1080 nv12 0.2 --irregular
scene held-3 903 200 720 gray8 0.2
scene held-4 904 60 2160 gray8 0.2
scene held-5 905 300 1080 gray8 0.2
