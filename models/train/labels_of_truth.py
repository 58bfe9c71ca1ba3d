"""What a person would say of simulated parts: takes what a replay wrote and the footage's truth,
gives a COCO file for `sightline import`.

    python models/train/labels_of_truth.py out/line/inspections.jsonl out/lot/truth.json --run 1 \\
        --out out/lot/labels/labels.json

`--run` is the replay's number in the store: 1 for the first, then 2. A part that the line found is
the true one nearest to it in the frame it was looked at in; one that is not near any gets no label.
"""

import argparse
import json
from pathlib import Path

import numpy as np

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
    """(kind, uncompressed run lengths down the columns, as COCO has them) of each defect's pixels
    in the crop; none of a defect that lies outside."""
    for defect in part["defects"]:
        area, counts = defect["mask"]["area"], defect["mask"]["counts"]
        runs = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
        rows, columns = np.nonzero(runs.reshape(area["height"], area["width"]))
        rows = rows + area["y"] + moved[1] - crop["y"]
        columns = columns + area["x"] + moved[0] - crop["x"]
        seen = (rows >= 0) & (rows < crop["height"]) & (columns >= 0) & (columns < crop["width"])
        mask = np.zeros((crop["height"], crop["width"]), bool)
        mask[rows[seen], columns[seen]] = True
        if mask.any():
            yield defect["kind"], runs_of(mask)


def runs_of(mask):
    flat = np.concatenate([[False], mask.T.ravel()])
    edges = np.flatnonzero(np.diff(flat.astype(np.int8)))
    return np.diff(np.concatenate([[0], edges, [mask.size]])).tolist()


def coco_from(inspections, truth, run):
    """The COCO file, and the numbers of parts that no true one is near to."""
    kinds = sorted({d["kind"] for part in truth["parts"] for d in part["defects"]})
    images, annotations, unknown = [], [], []
    for inspection in inspections:
        view = inspection["views"][0] if inspection["views"] else None
        crop = view and view["crop_in_frame"]
        part = moved = None
        if view:
            near = NEAR * crop["width"]
            part, moved = part_near(truth["parts"], view["box_in_frame"], view["frame"], near)
        if part is None or not part["whole"]:
            unknown.append(inspection["part"])
            continue
        images.append(
            {
                "id": len(images) + 1,
                "file_name": f"r{run:06}-p{inspection['part']:06}-v0.png",
                "width": crop["width"],
                "height": crop["height"],
            }
        )
        for kind, counts in marks_of(part, moved, crop):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": len(images),
                    "category_id": kinds.index(kind) + 1,
                    "iscrowd": 0,
                    "segmentation": {"size": [crop["height"], crop["width"]], "counts": counts},
                }
            )
    categories = [{"id": i, "name": kind} for i, kind in enumerate(kinds, 1)]
    return {"images": images, "annotations": annotations, "categories": categories}, unknown


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("inspections", type=Path, help="inspections.jsonl of the replay")
    parser.add_argument("truth", type=Path, help="truth.json of the footage")
    parser.add_argument("--run", type=int, required=True, help="the replay's number in the store")
    parser.add_argument("--out", type=Path, required=True, help="the COCO file to write")
    arguments = parser.parse_args()
    lines = arguments.inspections.read_text(encoding="utf-8").splitlines()
    truth = json.loads(arguments.truth.read_text(encoding="utf-8"))
    coco, unknown = coco_from([json.loads(line) for line in lines], truth, arguments.run)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(coco), encoding="utf-8")
    print(f"{len(coco['images'])} parts, {len(coco['annotations'])} marks", end="")
    print(f"; no label for part {', '.join(map(str, unknown))}" if unknown else "")


if __name__ == "__main__":
    main()
