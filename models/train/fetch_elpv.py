"""Solar cells for `model eval`: takes the package elpv-dataset, gives a folder with an index.csv.

    pip install --no-deps elpv-dataset==1.0.0.post1
    python models/train/fetch_elpv.py --out out/elpv

2624 electroluminescence pictures (300 x 300, grey) of cells of 44 solar modules, each judged functional
(`ok`) or defective by experts. Buerhop-Lutz et al., A Benchmark for Visual Identification of Defective Solar
Cells in Electroluminescence Imagery, EU PVSEC 2018. Licence CC BY-NC-SA 4.0: to measure with, not to
sell; neither the pictures nor a bundle trained on them belong in this repository.
"""

import argparse
import csv
import importlib.util
import shutil
from collections import Counter
from itertools import groupby
from pathlib import Path

CELLS = 60  # of most modules


def module_from(rows):
    """A name for the module of each row. The package does not give it, but the cells stand in the
    modules' order: a run of one type that is made of sixties is cut into them, any other run stays
    whole, as one group of perhaps several modules."""
    names, start = [], 0
    for kind, run in groupby(row[2] for row in rows):
        length = len(list(run))
        step = CELLS if length % CELLS == 0 else length
        names += [f"{kind}-{start + i // step * step:04}" for i in range(length)]
        start += length
    return names


def held_from(groups):
    """Every second module is only reported on; the runs of several modules are all trained on."""
    counts = Counter(groups)
    return set([group for group in counts if counts[group] <= 2 * CELLS][::2])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    found = importlib.util.find_spec("elpv_dataset")
    if found is None:
        raise SystemExit("elpv-dataset is not installed: pip install --no-deps elpv-dataset")
    given = Path(found.origin).parent / "data"
    rows = [line.split() for line in (given / "labels.csv").read_text().splitlines() if line]
    (out / "images").mkdir(parents=True, exist_ok=True)
    with open(out / "index.csv", "w", newline="") as lines:
        table = csv.writer(lines, lineterminator="\n")
        table.writerow(["file", "label", "split", "mask", "boxes", "group", "note"])
        groups = module_from(rows)
        held = held_from(groups)
        for (file, sure, kind), group in zip(rows, groups):
            shutil.copyfile(given / file, out / file)
            # 1/3 and 2/3: the expert who said functional, or defective, was not sure.
            label = "ok" if float(sure) < 0.5 else "defective"
            split = "val" if group in held else "train"
            table.writerow([file, label, split, "", "", group, f"{kind};defective={sure}"])
    print(f"{len(rows)} pictures in {out}")


if __name__ == "__main__":
    main()
