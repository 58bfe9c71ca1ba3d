"""Pictures with labelled pixels, at the size the network will see them.

Takes a folder with an index.csv (whole pictures) or a truth.json (simulated parts, cut out of their
frames). Gives `Sample`s: `shown` is exactly what the station will feed the network, `around` is the
same view with a margin for training crops, and the label maps give one class a pixel.
"""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

IGNORE = 255


@dataclass
class View:
    pixels: np.ndarray  # [H, W, 3] uint8
    labels: np.ndarray  # [H, W] uint8: index into the labels, or IGNORE


@dataclass
class Sample:
    name: str
    group: str  # samples of one group show the same physical part
    split: str
    label: str  # `ok`, or the kinds of its defects joined with `|`
    shown: View
    around: View


def letterbox(picture, size, resample, pad=0):
    """Keeps the aspect, centred; the same arithmetic as the station's."""
    scale = min(size[0] / picture.width, size[1] / picture.height)
    inner = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    canvas = Image.new(picture.mode, size, pad)
    corner = ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2)
    canvas.paste(picture.resize(inner, resample), corner)
    return canvas


def load_index(folder, size):
    """Whole pictures with one mask each: any mask pixel above 127 is the row's label."""
    folder, samples = Path(folder), []
    with open(folder / "index.csv", newline="") as lines:
        rows = list(csv.DictReader(lines))
    labels = ["ok"] + sorted({row["label"] for row in rows} - {"ok"})
    for row in rows:
        picture = letterbox(Image.open(folder / row["file"]).convert("RGB"), size, Image.BILINEAR)
        classes = np.zeros((size[1], size[0]), np.uint8)
        if row["mask"]:
            mask = letterbox(Image.open(folder / row["mask"]).convert("L"), size, Image.BOX)
            classes[np.asarray(mask) > 127] = labels.index(row["label"])
        view = View(np.asarray(picture), classes)
        samples.append(Sample(row["file"], row["group"], row["split"], row["label"], view, view))
    return labels, samples


PART_LABELS = ["ok", "scratch", "crack", "dent", "stain", "misaligned", "missing_feature"]
SIDE = 4 / 15  # of the frame's height: the crop around a part, 288 pixels at 1080
MARGIN = 12 / 288  # of the crop's side: how far training crops stray from the part's centre


def load_parts(folder, size, split):
    """Simulated parts: images/P000001.png holds the frame in which part 1 is in the middle."""
    folder, samples = Path(folder), []
    truth = json.loads((folder / "truth.json").read_text())
    side = round(truth["height"] * SIDE)
    margin = round(side * MARGIN)
    wide = (size[0] + 2 * round(size[0] * margin / side),) * 2
    for part in truth["parts"]:
        if not part["whole"]:
            continue
        name = f"P{part['part']:06}"
        frame = Image.open(folder / "images" / f"{name}.png")
        classes = Image.fromarray(classes_from(part, truth["width"], truth["height"]))
        left = round(part["x"] + part["width"] / 2 - side / 2)
        top = round(part["y"] + part["height"] / 2 - side / 2)
        shown, around = (
            View(
                np.asarray(frame.crop(box).convert("RGB").resize(to, Image.BILINEAR)),
                np.asarray(classes.crop(box).resize(to, Image.NEAREST)),
            )
            for box, to in (
                ((left, top, left + side, top + side), size),
                ((left - margin, top - margin, left + side + margin, top + side + margin), wide),
            )
        )
        samples.append(
            Sample(
                f"{folder.name}/{name}",
                f"{folder.name}/{name}",
                split,
                part["label"],
                shown,
                around,
            )
        )
    return samples


def classes_from(part, width, height):
    """The label map of the part's frame. Counts are run lengths over the area, row by row, first
    of what is outside. `misaligned` covers the whole part, so the others lie on top of it."""
    classes = np.zeros((height, width), np.uint8)
    for defect in sorted(part["defects"], key=lambda d: d["kind"] != "misaligned"):
        area, counts = defect["mask"]["area"], defect["mask"]["counts"]
        runs = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
        mask = runs.reshape(area["height"], area["width"])
        window = classes[
            area["y"] : area["y"] + area["height"], area["x"] : area["x"] + area["width"]
        ]
        window[mask] = PART_LABELS.index(defect["kind"])
    return classes
