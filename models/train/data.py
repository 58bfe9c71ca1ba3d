"""Pictures with labelled pixels, at the size the network will see them.

Takes an index.csv or its folder (whole pictures), or a folder with a truth.json (simulated parts,
cut out of their frames). Gives `Sample`s: `shown` is exactly what the station will feed the network, `around` is the
same view with a margin for training crops, and the label maps give one class a pixel.
"""

import csv
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw

GOOD = "ok"
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


def read_index(path):
    """The rows of an index.csv and the folder its paths start from."""
    path = Path(path)
    index = path / "index.csv" if path.is_dir() else path
    with open(index, newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines)), index.parent


def picture_from(file):
    """A picture in colour. 16-bit gray ones are brought to 8 bits as the station sees them: 65535 is
    255 (Pillow would cut all above 255)."""
    picture = Image.open(file)
    if picture.mode.startswith("I;16") or picture.mode == "I":
        bytes_ = np.round(np.asarray(picture, np.float64) / 257).astype(np.uint8)
        picture = Image.fromarray(bytes_)
    return picture.convert("RGB")


def masks_from(row, size, folder):
    """(label, 8-bit mask) in the order in which they are painted; of the pixels of a mask whose label
    is None nobody said what they are.

    Where a row has several classes, its boxes say which part of the mask is whose; where boxes
    overlap, the smaller one lies on top. Where it has no mask, its boxes are filled. A class that
    has neither may be anywhere."""
    named = [label for label in row["label"].split("|") if label != GOOD]
    mask = Image.open(folder / row["mask"]).convert("L") if row.get("mask") else None
    boxes = [box.split(" ", 4) for box in (row.get("boxes") or "").split(";") if box.strip()]
    boxes = [(tuple(map(float, corners)), kind.strip()) for *corners, kind in boxes]
    if mask is not None and len(named) == 1:
        return [(named[0], mask)]
    if mask is not None and not boxes:
        return [(None, mask)]
    masks = []
    if set(named) - {kind for _, kind in boxes}:
        masks.append((None, Image.new("L", size, 255)))
    elif mask is not None:
        masks.append((None, mask))
    for corners, kind in sorted(boxes, key=lambda box: -area(box[0])):
        left, top, right, bottom = corners
        filled = Image.new("L", size)
        ImageDraw.Draw(filled).rectangle((left, top, right - 1, bottom - 1), 255)
        masks.append((kind, ImageChops.darker(filled, mask) if mask is not None else filled))
    return masks


def area(corners):
    left, top, right, bottom = corners
    return (right - left) * (bottom - top)


def held_from(rows, held):
    """The split of each row. Where the index has no split named `held`, every fifth group of those
    to train on is."""
    splits = [row.get("split") or "train" for row in rows]
    if held in splits:
        return splits

    def fifth(row):
        return hashlib.sha1((row.get("group") or row["file"]).encode()).digest()[0] % 5 == 0

    return [
        held if split == "train" and fifth(row) else split for row, split in zip(rows, splits)
    ]


def load_index(path, size, held="val", masks=True):
    """Whole pictures of the splits `train` and `held`: (labels, samples). With masks, any pixel of a
    mask above 127 is of the mask's class; without, only the pictures' labels are read."""
    rows, folder = read_index(path)
    named = {label for row in rows for label in row["label"].split("|")}
    labels, samples = [GOOD, *sorted(named - {GOOD})], []
    for row, split in zip(rows, held_from(rows, held)):
        if split not in ("train", held):
            continue
        picture = picture_from(folder / row["file"])
        classes = np.zeros((size[1], size[0]), np.uint8)
        for label, mask in masks_from(row, picture.size, folder) if masks else []:
            covered = np.asarray(letterbox(mask, size, Image.BOX)) > 127
            classes[covered] = IGNORE if label is None else labels.index(label)
        view = View(np.asarray(letterbox(picture, size, Image.BILINEAR)), classes)
        group = row.get("group") or row["file"]
        samples.append(Sample(row["file"], group, split, row["label"], view, view))
    return labels, samples


def says_where(sample):
    """Whether it is known where its defects are; a good one has none."""
    classes = sample.shown.labels
    return sample.label == GOOD or bool(((classes > 0) & (classes != IGNORE)).any())


def usual_size(path, longest):
    """Width and height to show a set's pictures at: the middle one's, no side above `longest`, in
    whole steps of 16."""
    rows, folder = read_index(path)
    sizes = sorted(Image.open(folder / row["file"]).size for row in rows[:: len(rows) // 50 + 1])
    width, height = sizes[len(sizes) // 2]
    scale = min(1, longest / max(width, height))
    return tuple(max(32, 16 * round(side * scale / 16)) for side in (width, height))


PART_LABELS = [GOOD, "scratch", "crack", "dent", "stain", "misaligned", "missing_feature"]
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
