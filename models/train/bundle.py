"""Writes a bundle: the network as ONNX, the manifest, golden samples and the model card.

Takes a trained network, its set's settings and the limits chosen inside the training split.
Gives the folder that the station imports.
"""

import hashlib
import io
import json
import warnings
from pathlib import Path

import onnx
import torch
from PIL import Image

import curves
import evaluate
from net import MEAN, STD

TOLERANCE = 0.01


def export(net, size):
    """The network as the bytes of one ONNX file, opset 17, with a fixed input [1, 3, H, W]."""
    example, file = torch.zeros(1, 3, size[1], size[0]), io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net.to(memory_format=torch.contiguous_format),
            (example,),
            file,
            dynamo=False,
            opset_version=17,
            input_names=["image"],
            output_names=[net.gives],
        )
    model = onnx.load_from_string(file.getvalue())
    output = model.graph.output[0].type.tensor_type.shape.dim
    with torch.no_grad():
        lengths = net(example).shape
    for dim, length in zip(output, lengths):
        dim.dim_value = length
    return model.SerializeToString()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def toml(table):
    """One table's lines. JSON's strings, numbers and lists are TOML's too."""
    return "".join(
        f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items()
    )


def golden_samples(folder, model, samples, wanted):
    """`wanted` says how many of each label: the ones of middle area, so none is extreme."""
    tables = []
    (folder / "golden").mkdir(exist_ok=True)
    for label, count in wanted.items():
        alone = [s for s in samples if s.label == label]
        of = sorted(
            alone or [s for s in samples if label in s.label.split("|")],
            key=lambda s: (int((s.shown.labels > 0).sum()), s.name),
        )
        for i in range(min(count, len(of))):
            sample = of[len(of) * (2 * i + 1) // (2 * count)]
            path = folder / "golden" / f"{len(tables) + 1:02}.png"
            Image.fromarray(sample.shown.pixels).save(path, optimize=True)
            probabilities = model(sample.shown.pixels)
            peaks = probabilities.reshape(len(probabilities), -1).max(1)
            tables.append(
                {
                    "image": f"golden/{path.name}",
                    "sha256": sha256(path.read_bytes()),
                    "expected": [round(float(p), 4) for p in peaks],
                    "tolerance": TOLERANCE,
                }
            )
    return tables


def write_segmenter(folder, net, labels, settings, limits, held, curve):
    cells = {key: limits[key] for key in ("pixel_threshold", "min_cells")}
    model = write(folder, net, "segmenter", "softmax", labels, cells, settings, held)
    figures, scores = evaluate.figures_from(model, labels, limits, held)
    worst = [
        f"{s.name} ({s.label}, {v:.2f})"
        for s, v in zip(held, scores)
        if (v >= limits["reject_at"]) != (s.label != labels[0])
    ]
    write_card(folder, settings, limits, evaluate.table(figures, limits), curve)
    print("wrong at reject_at:", ", ".join(worst) or "none")


def write_classifier(folder, net, labels, activation, settings, limits, held, curve):
    model = write(folder, net, "classifier", activation, labels, {}, settings, held)
    figures, rows = evaluate.class_figures(model, labels, limits, held)
    right = evaluate.correct(labels, held, rows)
    worst = [
        f"{s.name} ({s.label}, said {labels[row.argmax()]} {row.max():.2f})"
        for s, row, good in zip(held, rows, right)
        if not good
    ]
    write_card(folder, settings, limits, evaluate.class_table(figures, limits), curve)
    print("named wrong:", ", ".join(worst) or "none")


def write(folder, net, kind, activation, labels, cells, settings, held):
    """The network, the manifest and the golden samples. Gives the network, ready to run."""
    folder.mkdir(parents=True, exist_ok=True)
    network = export(net, settings.size)
    (folder / "model.onnx").write_bytes(network)
    model = evaluate.Model(network, activation)
    recipe = {"segmenter": "train.py", "classifier": "train_classifier.py"}[kind]
    manifest = {
        None: {
            "schema": 1,
            "name": folder.name,
            "kind": kind,
            "licence": settings.licence,
            "description": settings.description,
        },
        "[file]": {"onnx": "model.onnx", "sha256": sha256(network)},
        "[input]": {
            "name": "image",
            "width": settings.size[0],
            "height": settings.size[1],
            "colour": "rgb",
            "resize": "letterbox",
            "pad": 0.0,
            "mean": [round(v, 7) for v in MEAN],
            "std": [round(v, 7) for v in STD],
        },
        "[output]": {
            "name": net.gives,
            "activation": activation,
            "labels": labels,
            "good": labels[0],
            **cells,
        },
        "[provenance]": {
            "trained_on": settings.trained_on,
            "split": settings.split,
            "recipe": f"models/train/{recipe} ({folder.name})",
            "backbone": settings.backbone,
        },
    }
    parts = [(f"{head}\n" if head else "") + toml(table) for head, table in manifest.items()]
    golden = golden_samples(folder, model, held, settings.golden)
    parts += ["[[golden]]\n" + toml(table) for table in golden]
    (folder / "model.toml").write_text("\n".join(parts), encoding="utf-8")
    return model


def write_recipe(folder, limits):
    """recipe.toml with the limits, for `sightline model eval` and as a start. One that is there is
    somebody's work and stays; a classifier that only sorts defects has no limits."""
    path = folder / "recipe.toml"
    if "reject_at" not in limits or path.exists():
        return
    decide = {key: limits[key] for key in ("reject_at", "undecided_from")}
    tables = {
        "# One picture is one part; say under [locate] how parts are found on your line.": {
            "name": folder.name,
            "model": ".",
        },
        "[locate]": {"kind": "every-frame"},
        "[limits]": decide,
        "[record]": {"keep_passed": 0.02},
    }
    text = "\n".join(f"{head}\n{toml(table)}" for head, table in tables.items())
    path.write_text(text, encoding="utf-8")


def write_card(folder, settings, limits, table, curve):
    """CARD.md from the template in cards/, and the curves beside it."""
    text = (Path(__file__).parent / "cards" / f"{settings.card}.md").read_text(encoding="utf-8")
    for word, value in {
        "name": folder.name,
        "description": settings.description,
        "trained_on": settings.trained_on,
        "split": settings.split,
        "licence": settings.licence,
        "backbone": settings.backbone,
        "size": "{} × {}".format(*settings.size),
        "figures": table,
        "limits": toml(limits).rstrip(),
    }.items():
        text = text.replace(f"{{{word}}}", value)
    (folder / "CARD.md").write_text(text, encoding="utf-8")
    (folder / "curves.svg").write_text(curves.svg(curve), encoding="utf-8")
    write_recipe(folder, limits)
    print(table)
