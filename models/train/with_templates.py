"""DeepPCB for `model fit --labels`: takes its index.csv, gives a folder whose index.csv has good pictures too.

    python models/train/with_templates.py --data INDEX.csv --out out/deeppcb

The set names a defect-free template for every picture (column `template`: the same place of the same board) but
has no row of its own for it. Here each is a row `ok` of the split and group of its picture, so that no
board is in two splits. The pictures are for research only, by the set's own words: to measure with, not to sell.
"""

import argparse
import csv
import shutil
from pathlib import Path

COLUMNS = ["file", "label", "split", "mask", "boxes", "group"]


def rows_with_templates(rows):
    """Each row, and an `ok` row for each template, once, however many pictures share it."""
    seen = set()
    for row in rows:
        yield {column: row[column] for column in COLUMNS}
        template = row["template"]
        if template and template not in seen:
            seen.add(template)
            yield dict.fromkeys(COLUMNS, "") | {
                "file": template,
                "label": "ok",
                "split": row["split"],
                "group": row["group"],
            }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="INDEX.csv")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    with open(arguments.data, newline="") as lines:
        given = list(csv.DictReader(lines))
    if not given or not given[0].get("template"):
        raise SystemExit(f"{arguments.data} has no column `template` with pictures; DeepPCB's has")
    rows = list(rows_with_templates(given))
    for row in rows:
        to = arguments.out / row["file"]
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(arguments.data.parent / row["file"], to)
    with open(arguments.out / "index.csv", "w", newline="") as lines:
        table = csv.DictWriter(lines, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    good = sum(row["label"] == "ok" for row in rows)
    print(f"{len(rows) - good} pictures and {good} good ones in {arguments.out}")


if __name__ == "__main__":
    main()
