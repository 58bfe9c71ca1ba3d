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

import evaluate
from net import MEAN, STD, STRIDE

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
            output_names=["heatmap"],
        )
    model = onnx.load_from_string(file.getvalue())
    output = model.graph.output[0].type.tensor_type.shape.dim
    for dim, length in zip(
        output, (1, net.last.out_channels, size[1] // STRIDE, size[0] // STRIDE)
    ):
        dim.dim_value = length
    return model.SerializeToString()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def toml(table):
    """One table's lines. JSON's strings, numbers and lists are TOML's too."""
    return "".join(
        f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items()
    )


def golden_samples(folder, model, labels, samples, wanted):
    """`wanted` says how many of each label: the ones of middle area, so none is extreme."""
    tables = []
    (folder / "golden").mkdir(exist_ok=True)
    for label, count in wanted.items():
        of = sorted(
            (s for s in samples if s.label == label),
            key=lambda s: (int((s.shown.labels > 0).sum()), s.name),
        )
        for i in range(min(count, len(of))):
            sample = of[len(of) * (2 * i + 1) // (2 * count)]
            path = folder / "golden" / f"{len(tables) + 1:02}.png"
            Image.fromarray(sample.shown.pixels).save(path, optimize=True)
            peaks = model(sample.shown.pixels).max((1, 2))
            tables.append(
                {
                    "image": f"golden/{path.name}",
                    "sha256": sha256(path.read_bytes()),
                    "expected": [round(float(p), 4) for p in peaks],
                    "tolerance": TOLERANCE,
                }
            )
    return tables


def write(folder, net, labels, settings, limits, samples):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    network = export(net, settings.size)
    (folder / "model.onnx").write_bytes(network)
    model = evaluate.Model(network)
    held = [s for s in samples if s.split != "train"]
    manifest = {
        None: {
            "schema": 1,
            "name": folder.name,
            "kind": "segmenter",
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
            "name": "heatmap",
            "activation": "softmax",
            "labels": labels,
            "good": labels[0],
            "pixel_threshold": limits["pixel_threshold"],
            "min_cells": limits["min_cells"],
        },
        "[provenance]": {
            "trained_on": settings.trained_on,
            "split": settings.split,
            "recipe": f"models/train/train.py ({folder.name})",
            "backbone": settings.backbone,
        },
    }
    parts = [(f"{head}\n" if head else "") + toml(table) for head, table in manifest.items()]
    parts += [
        "[[golden]]\n" + toml(t)
        for t in golden_samples(folder, model, labels, held, settings.golden)
    ]
    (folder / "model.toml").write_text("\n".join(parts))

    figures, scores = evaluate.figures_from(model, labels, limits, held)
    worst = [
        f"{s.name} ({s.label}, {v:.2f})"
        for s, v in zip(held, scores)
        if (v >= limits["reject_at"]) != (s.label != labels[0])
    ]
    card = Path(__file__).with_name("cards") / f"{folder.name}.md"
    text = card.read_text().replace("{figures}", evaluate.table(figures, limits))
    (folder / "CARD.md").write_text(text.replace("{limits}", toml(limits).rstrip()))
    print(evaluate.table(figures, limits))
    print("wrong at reject_at:", ", ".join(worst) or "none")
