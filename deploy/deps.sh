#!/usr/bin/env bash
# Puts on this machine what Sightline needs besides Rust: system packages (by apt, with sudo only if
# need be) and ONNX Runtime (hash-checked, in the user's cache). What is there is left alone: a
# second run changes nothing and needs no network.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
packages=(make gcc g++ libc6-dev pkg-config ca-certificates
    python3-pymodbus python3-serial-asyncio # another PLC, for the tests; it imports the latter
    libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev gstreamer1.0-tools
    gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
    gstreamer1.0-libav libgstrtspserver-1.0-dev libaravis-dev libusb-1.0-0-dev
    libopencv-dev libclang-dev clang # calibration; its bindings are made at build time
    libegl1 libgl1 libgl1-mesa-dri libxkbcommon0 libxkbcommon-x11-0 # the screen, on a display
    libxcursor1 libxi6 libxrandr2
    mesa-vulkan-drivers) # the screen's pictures in the tests, without a GPU
# Any of these encodes clips. The last is GPL (plugins-ugly): fetched only where there is no other.
encoders=(nvv4l2h264enc nvh264enc vah264enc openh264enc x264enc)

say() { printf 'deps: %s\n' "$*"; }
die() {
    printf 'deps: %s\n' "$*" >&2
    exit 2
}

# free_mib DIR: what is free where DIR is, or will be.
free_mib() {
    local dir=$1
    while [ ! -d "$dir" ]; do dir=$(dirname "$dir"); done
    df -Pk "$dir" | awk 'NR == 2 { print int($4 / 1024) }'
}

# need_room MIB DIR WHAT
need_room() {
    local free
    free=$(free_mib "$2")
    [ "$free" -ge "$1" ] || die "too little disk: $3 needs $1 MiB in $2, $free MiB are free"
}

at_least() { printf '%s\n%s\n' "$1" "$2" | sort -V -C; }

check_machine() {
    arch=$(uname -m)
    case $arch in
    x86_64 | aarch64) ;;
    *) die "no ONNX Runtime for $arch: Sightline runs on x86_64 and aarch64" ;;
    esac
    ID=unknown VERSION_ID=99 PRETTY_NAME="an unknown system" # Debian testing has no version
    if [ -r /etc/os-release ]; then . /etc/os-release; fi
    local known="Debian 12, Ubuntu 22.04 and 24.04, JetPack 6 and 7 (or newer)"
    command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
        die "$PRETTY_NAME has no apt: this script knows $known"
    case $ID in
    debian) at_least 12 "$VERSION_ID" || die "$PRETTY_NAME is too old: $known" ;;
    ubuntu) at_least 22.04 "$VERSION_ID" || die "$PRETTY_NAME is too old: $known" ;;
    esac
}

check_rust() {
    local wanted found
    local how="install it with rustup (https://www.rust-lang.org/tools/install)"
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$here/../Cargo.toml")
    if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
        if [ -x "${HOME:-}/.cargo/bin/cargo" ]; then
            die "cargo is in ~/.cargo/bin, which is not on PATH: run '. ~/.cargo/env' first"
        fi
        die "no cargo: Rust $wanted or newer is needed; $how"
    fi
    found=$(rustc --version 2>/dev/null | awk '{ print $2 }') || found=
    [ -n "$found" ] || die "rustc is there but does not run: try 'rustup default stable'"
    at_least "$wanted" "$found" ||
        die "rustc is $found, $wanted or newer is needed: 'rustup update', or $how"
}

# The build itself fetches crates and writes some GiB; better said now than after ten minutes.
check_build_room() {
    local target=${CARGO_TARGET_DIR:-$(dirname "$here")/target}
    [ -d "$target/release" ] || need_room 4000 "$target" "the build"
}

# missing_of PACKAGE...: those that dpkg does not have fully installed.
missing_of() {
    local name
    for name in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
            printf '%s\n' "$name"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Of what apt says (its errors pass by on stderr): how much there is to do, and how far it is.
brief() {
    awk '/^(Need to get|After this operation|Fetched)/ { print "deps:   " $0; fflush() }
        /^Setting up/ && ++n % 50 == 0 { print "deps:   " n " packages set up"; fflush() }'
}

# apt_install PACKAGE...
apt_install() {
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        die "neither root nor sudo: let an administrator run 'apt-get install $*'"
    fi
    need_room 1500 /usr "installing packages"
    say "installing by apt: $*"
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
    as_root "${apt[@]}" update | brief || say "apt-get update failed: trying without"
    as_root "${apt[@]}" install -y --no-install-recommends "$@" | brief ||
        die "apt could not install $* (no network, no rights, or not in this system's archive)"
}

install_packages() {
    local missing
    mapfile -t missing < <(missing_of "${packages[@]}")
    [ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"
    pkg-config --atleast-version=1.20 gstreamer-1.0 ||
        die "GStreamer $(pkg-config --modversion gstreamer-1.0 || echo is missing): 1.20 is needed"
    # It also fails when libusb-1.0-0-dev is not there, which libaravis-dev does not ask for.
    pkg-config --atleast-version=0.8.20 aravis-0.8 ||
        die "Aravis $(pkg-config --modversion aravis-0.8 || echo is missing): 0.8.20 is needed"
}

install_encoder() {
    local element
    for element in "${encoders[@]}"; do
        if gst-inspect-1.0 --exists "$element" 2>/dev/null; then return; fi
    done
    say "no H.264 encoder here but x264 (GPL)"
    apt_install gstreamer1.0-plugins-ugly
}

# Leaves the name of a Python that has pip in $python; false if there is none.
find_pip() {
    for python in python3 /usr/bin/python3; do
        if "$python" -m pip --version >/dev/null 2>&1; then return; fi
    done
    return 1
}

# fetch_wheel DIR: the wheel for this machine's CPU, whatever Python the machine has.
fetch_wheel() {
    find_pip || { apt_install python3-pip && find_pip; } || die "python3-pip does not work"
    "$python" -m pip download --disable-pip-version-check --retries 2 --dest "$1" --no-deps \
        --only-binary=:all: --require-hashes --requirement "$here/onnxruntime.txt" \
        --implementation cp --python-version 311 --abi cp311 \
        --platform "manylinux_2_28_$arch" 2>"$1/errors" && return
    if grep -q 'DO NOT MATCH' "$1/errors"; then
        die "ONNX Runtime as fetched is not the pinned one (hash); nothing was installed"
    fi
    die "pip could not fetch ONNX Runtime; no network? (deploy/README.md) $(tail -n 1 "$1/errors")"
}

# install_onnxruntime: the library goes in last, by a rename, so that it is whole or not there.
install_onnxruntime() {
    local version base dir library sum
    version=$(sed -n 's/^onnxruntime==\([0-9.]*\).*/\1/p' "$here/onnxruntime.txt")
    sum=$(awk -v arch="$arch" '$2 == arch { print $1 }' "$here/onnxruntime.sha256")
    [ -n "${XDG_CACHE_HOME:-${HOME:-}}" ] || die "HOME is not set: no place for ONNX Runtime"
    base=${XDG_CACHE_HOME:-$HOME/.cache}/sightline/onnxruntime
    dir=$base/$version library=libonnxruntime.so.$version
    if is_file "$dir/$library" "$sum"; then
        if [ -s "$dir/LICENSE" ] && [ -s "$dir/ThirdPartyNotices.txt" ]; then return; fi
    elif [ -e "$dir/$library" ]; then
        say "$dir/$library is not the pinned one: it is replaced"
    fi
    say "fetching ONNX Runtime $version for $arch into $dir"
    mkdir -p "$dir" 2>/dev/null && new=$(mktemp -d "$base/new.XXXXXX" 2>/dev/null) ||
        die "cannot write to $dir: set XDG_CACHE_HOME to a folder that can be written"
    trap 'rm -rf "$new"' EXIT # not local: it is cleared away after the last line
    need_room 300 "$base" "ONNX Runtime"
    fetch_wheel "$new"
    "$python" -m zipfile -e "$new"/onnxruntime-*.whl "$new" || die "cannot unpack ONNX Runtime"
    is_file "$new/onnxruntime/capi/$library" "$sum" ||
        die "$library is not the pinned one; nothing was installed"
    mv -f "$new"/onnxruntime/{LICENSE,ThirdPartyNotices.txt} "$dir/"
    mv -f "$new/onnxruntime/capi/$library" "$dir/"
}

# is_file PATH SHA256
is_file() { [ -f "$1" ] && printf '%s  %s\n' "$2" "$1" | sha256sum --check --status; }

check_machine
check_rust
check_build_room
install_packages
install_encoder
install_onnxruntime
say "all in place"
