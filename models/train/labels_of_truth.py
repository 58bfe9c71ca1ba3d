"""What a person would say of parts whose truth is known: takes what a replay wrote and the footage's
truth, gives a COCO file for `sightline import`.

    python models/train/labels_of_truth.py out/line/inspections.jsonl out/lot/truth.json --run 1 \\
        --out out/lot/labels/labels.json

`--run` is the replay's number in the store: 1 for the first, then 2. The truth is the simulator's
truth.json, or an index.csv of the very pictures that were replayed, known by their names. A part that
the line found in a film is the true one nearest to it in the frame it was looked at in; one that is
not near any gets no label.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

import data

NEAR = 0.25  # of the crop's width: how far a part may be from where the truth has it


def place_at(part, frame):
    """The part's middle in a frame, along its track, whose points are linearly connected."""
    frames, across, down = zip(*part["track"])
    return np.array([np.interp(frame, frames, across), np.interp(frame, frames, down)])


def part_near(parts, box, frame, near):
    """The true part in this frame whose middle is the box's, and how far its track has carried it
    from where its masks are."""
    middle = np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    there = [p for p in parts if p["entry_frame"] <= frame <= p["exit_frame"]]

    def moved(part):
        return place_at(part, frame) - place_at(part, part["centre_frame"])

    def away(part):
        own = [part["x"] + part["width"] / 2, part["y"] + part["height"] / 2]
        return float(np.linalg.norm(own + moved(part) - middle))

    best = min(there, key=away, default=None)
    if best is None or away(best) > near:
        return None, None
    return best, np.round(moved(best)).astype(int)


def marks_of(part, moved, crop):
    """(kind, its pixels in the crop) of each defect."""
    for defect in part["defects"]:
        area, counts = defect["mask"]["area"], defect["mask"]["counts"]
        runs = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
        mask = runs.reshape(area["height"], area["width"])
        yield defect["kind"], seen_in(crop, mask, area["x"] + moved[0], area["y"] + moved[1])


def seen_in(crop, mask, left, top):
    """What of a mask, whose corner lies there in the frame, is in the crop."""
    rows, columns = np.nonzero(mask)
    rows, columns = rows + top - crop["y"], columns + left - crop["x"]
    seen = (rows >= 0) & (rows < crop["height"]) & (columns >= 0) & (columns < crop["width"])
    shown = np.zeros((crop["height"], crop["width"]), bool)
    shown[rows[seen], columns[seen]] = True
    return shown


def from_film(truth):
    """Gives a function: (a view) -> (kind, mask in its crop) of each defect; None where no true part
    is near."""
    parts = json.loads(truth.read_text(encoding="utf-8"))["parts"]

    def marks(view):
        crop = view["crop_in_frame"]
        near = NEAR * crop["width"]
        part, moved = part_near(parts, view["box_in_frame"], view["frame"], near)
        return marks_of(part, moved, crop) if part and part["whole"] else None

    return marks


def from_index(truth):
    """The same of pictures that an index.csv names."""
    rows, folder = data.read_index(truth)
    by_name = {Path(row["file"]).name: row for row in rows}

    def marks(view):
        row = by_name.get(Path(view.get("origin", "")).name)
        if row is None:
            return None
        with Image.open(folder / row["file"]) as picture:
            size = picture.size
        named = [mask for mask in data.masks_from(row, size, folder) if mask[0] is not None]
        if row["label"] != data.GOOD and not named:
            return [(kind, None) for kind in row["label"].split("|")]
        masks = [(kind, np.asarray(mask) > 127) for kind, mask in named]
        return [(kind, seen_in(view["crop_in_frame"], mask, 0, 0)) for kind, mask in masks]

    return marks


def runs_of(mask):
    """Uncompressed run lengths down the columns, as COCO has them."""
    flat = np.concatenate([[False], mask.T.ravel()])
    edges = np.flatnonzero(np.diff(flat.astype(np.int8)))
    return np.diff(np.concatenate([[0], edges, [mask.size]])).tolist()


def coco_from(inspections, marks, run, is_keys):
    """The COCO file, and the numbers of parts that have no label. With `is_keys` it is what one key a
    part says: a class and no place."""
    images, annotations, kinds, unknown = [], [], [], []
    for inspection in inspections:
        view = inspection["views"][0] if inspection["views"] else None
        of_part = view and marks(view)
        if of_part is None:
            unknown.append(inspection["part"])
            continue
        crop = view["crop_in_frame"]
        images.append(
            {
                "id": len(images) + 1,
                "file_name": f"r{run:06}-p{inspection['part']:06}-v0.png",
                "width": crop["width"],
                "height": crop["height"],
            }
        )
        seen = [(kind, mask) for kind, mask in of_part if mask is None or mask.any()]
        for kind, mask in seen[:1] if is_keys else seen:
            if kind not in kinds:
                kinds.append(kind)
            place = {"attributes": {"shape": "whole"}}
            if mask is not None and not is_keys:
                sides = [crop["height"], crop["width"]]
                place = {"segmentation": {"size": sides, "counts": runs_of(mask)}}
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": len(images),
                    "category_id": kinds.index(kind) + 1,
                    "iscrowd": 0,
                    **place,
                }
            )
    categories = [{"id": i, "name": kind} for i, kind in enumerate(kinds, 1)]
    return {"images": images, "annotations": annotations, "categories": categories}, unknown


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("inspections", type=Path, help="inspections.jsonl of the replay")
    parser.add_argument("truth", type=Path, help="truth.json of the film, or an index.csv")
    parser.add_argument("--run", type=int, required=True, help="the replay's number in the store")
    parser.add_argument("--keys", action="store_true", help="a class a part, and no place")
    parser.add_argument("--out", type=Path, required=True, help="the COCO file to write")
    arguments = parser.parse_args()
    lines = arguments.inspections.read_text(encoding="utf-8").splitlines()
    marks = (from_index if arguments.truth.suffix == ".csv" else from_film)(arguments.truth)
    inspections = [json.loads(line) for line in lines]
    coco, unknown = coco_from(inspections, marks, arguments.run, arguments.keys)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(coco), encoding="utf-8")
    print(f"{len(coco['images'])} parts, {len(coco['annotations'])} marks", end="")
    print(f"; no label for part {', '.join(map(str, unknown))}" if unknown else "")


if __name__ == "__main__":
    main()
