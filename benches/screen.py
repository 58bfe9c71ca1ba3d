#!/usr/bin/env python3
"""What a screen that is kept busy costs the line: the same station without a screen and with one that opens a page
and changes its size a few times a second, in turns, in one run.

    python3 benches/screen.py --sightline target/release/sightline

Needs Xvfb, openbox and xdotool (apt). Give it a machine with nothing else to do. A table on stdout, numbers in
target/bench/screen.json.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

DISPLAY = ":97"
PAGES = [f"F{n}" for n in range(1, 8)]
SIZES = [(3840, 2100), (1280, 800), (1920, 1080), (2560, 1400), (1024, 768)]
COLUMNS = ["screen", "frames", "dropped", "parts", "misses", "p50_ms", "p99_ms", "max_ms", "changes"]


def display():
    """A display without a graphics card, as large as a 4K screen, with a window manager."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(["Xvfb", DISPLAY, "-screen", "0", "3840x2160x24", "+extension", "GLX"], **quiet)
    time.sleep(2)
    return [server, subprocess.Popen(["openbox"], env=os.environ | {"DISPLAY": DISPLAY}, **quiet)]


def xdotool(*words):
    env = os.environ | {"DISPLAY": DISPLAY}
    return subprocess.run(["xdotool", *map(str, words)], env=env, capture_output=True, text=True)


def thrash(line):
    """Opens pages and changes the window's size until the line has ended; gives how often."""
    window, changes, rng = None, 0, random.Random(7)
    while line.poll() is None:
        if window is None:
            window = (xdotool("search", "--name", "Sightline").stdout.split() or [None])[0]
            time.sleep(0.5)
            continue
        xdotool("windowfocus", window)
        xdotool("key", "--window", window, rng.choice(PAGES))
        xdotool("windowsize", window, *rng.choice(SIZES))
        xdotool("mousemove", rng.randrange(1000), rng.randrange(700))
        changes += 1
        time.sleep(0.2)
    return changes


def station(written, folder):
    """The station file with absolute paths and a store of its own."""
    text = written.read_text()
    text = text.replace('store = "../out/run-4k120/store"', f'store = "{folder}/store"')
    return text.replace('"../models/', f'"{written.parent.parent.resolve()}/models/')


def run(arguments, with_screen):
    folder = Path(tempfile.mkdtemp(prefix="screen-bench-"))
    file = folder / "station.toml"
    file.write_text(station(arguments.station, folder))
    mode = ["kiosk", file, "--windowed"] if with_screen else ["run", file]
    say = [arguments.sightline, *mode, "--for", f"{arguments.seconds}s", "--json"]
    env = os.environ | {"DISPLAY": DISPLAY, "SIGHTLINE_LOG": "error"}
    with open(folder / "said", "w") as said:
        line = subprocess.Popen(list(map(str, say)), env=env, stdout=said, stderr=subprocess.PIPE, text=True)
        changes = thrash(line) if with_screen else 0
        _, complained = line.communicate()
    if line.returncode:
        raise SystemExit(f"exit code {line.returncode}: {complained.strip()}")
    told = json.loads((folder / "said").read_text())
    shutil.rmtree(folder)
    decision = told["latency_ms"]["decision"]
    return {
        "screen": with_screen,
        "frames": told["frames_offered"],
        "dropped": told["frames_dropped"],
        "parts": told["parts"]["triggered"],
        "misses": told["deadline_misses"],
        "p50_ms": decision["p50"],
        "p99_ms": decision["p99"],
        "max_ms": decision["max"],
        "changes": changes,
    }


def main():
    here = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sightline", default=here / "target/release/sightline", help="the program")
    parser.add_argument("--station", type=Path, default=here / "deploy/station-4k120.toml")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=here / "target/bench/screen.json")
    arguments = parser.parse_args()
    processes, rows = display(), []
    try:
        print("  ".join(f"{column:>8}" for column in COLUMNS))
        for turn in range(2 * arguments.rounds):
            # Without, with, with, without: what drifts meets both alike.
            rows.append(run(arguments, with_screen=turn % 4 in (1, 2)))
            print("  ".join(f"{str(rows[-1][column]):>8}" for column in COLUMNS), flush=True)
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps({"rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
