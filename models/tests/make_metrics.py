#!/usr/bin/env python3
"""Writes tests/metrics: predictions, and what the field's own packages say of them.

    pip install numpy scipy scikit-learn pycocotools torch anomalib
    python models/tests/make_metrics.py

scikit-learn gives AUROC, AP, accuracy, macro F1, kappa and IoU; pycocotools gives boxes; anomalib's
AUPRO gives the per-region overlap, summed up in doubles; torch gives bilinear scaling; scipy gives
McNemar's test. Running it again changes no byte.
"""

import contextlib
import importlib.util
import io
import json
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from scipy.stats import binomtest
from sklearn import metrics

OUT = Path(__file__).parent / "metrics"


def anomalib_aupro():
    """anomalib's metric without the rest of anomalib, which needs much that is not needed here."""
    folder = Path(importlib.util.find_spec("anomalib").origin).parent / "metrics"
    package, data = types.ModuleType("anomalib.metrics"), types.ModuleType("anomalib.data")
    package.__path__, data.Batch = [str(folder)], object
    sys.modules |= {"anomalib.metrics": package, "anomalib.data": data}
    from anomalib.metrics.aupro import _AUPRO

    return _AUPRO


AUPRO = anomalib_aupro()


def write(name, value):
    text = json.dumps(value, separators=(",", ":")).replace("},{", "},\n{")
    (OUT / f"{name}.json").write_text(text + "\n")


def singles(values):
    """As 32-bit floats, with the fewest digits that tell them apart."""
    return [float(str(value)) for value in np.asarray(values, np.float32)]


def ranking(name, bad, good):
    scores = singles(np.concatenate([bad, good]))
    is_bad = [True] * len(bad) + [False] * len(good)
    case = {"name": name, "scores": scores, "bad": is_bad}
    if len(bad) == 0 or len(good) == 0:
        return case
    overkill, caught, limits = metrics.roc_curve(is_bad, scores, drop_intermediate=False)
    at = np.flatnonzero(overkill <= 0.01)[-1]
    zero = np.flatnonzero(caught == 1)[0]
    return case | {
        "auroc": metrics.roc_auc_score(is_bad, scores),
        "ap": metrics.average_precision_score(is_bad, scores),
        "escape_at_overkill_1pct": 1 - caught[at],
        "limit_1pct": None if np.isinf(limits[at]) else limits[at],
        "overkill_at_zero_escape": overkill[zero],
        "limit_zero": limits[zero],
    }


def rankings(rng):
    few = np.array([0, 0.25, 0.5, 0.75, 1.0])
    return [
        ranking("apart", rng.uniform(0.6, 1, 30), rng.uniform(0, 0.4, 50)),
        ranking("mixed", rng.beta(3, 2, 400), rng.beta(2, 3, 900)),
        ranking("ties", rng.choice(few, 60), rng.choice(few[:4], 80)),
        ranking("nothing found in half", np.maximum(rng.uniform(-1, 1, 40), 0), np.zeros(300)),
        ranking("a single bad one", [0.7], rng.uniform(0, 1, 200)),
        ranking("a single good one", rng.uniform(0, 1, 20), [0.3]),
        ranking("upside down", rng.uniform(0, 0.5, 20), rng.uniform(0.5, 1, 20)),
        ranking("all alike", [0.5] * 4, [0.5] * 5),
        ranking("no score is high enough", [1.0] * 3, [1.0] * 2 + [0.0] * 20),
        ranking("all good", [], rng.uniform(0, 1, 10)),
        ranking("all bad", rng.uniform(0, 1, 10), []),
    ]


def labelled(name, truth, said, count):
    truth, said = np.asarray(truth), np.asarray(said)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kappa = metrics.cohen_kappa_score(truth, said)
    return {
        "name": name,
        "labels": count,
        "truth": truth.tolist(),
        "said": said.tolist(),
        "accuracy": metrics.accuracy_score(truth, said),
        "macro_f1": metrics.f1_score(truth, said, average="macro", zero_division=0),
        "kappa": None if np.isnan(kappa) else kappa,
    }


def labels(rng):
    truth = rng.choice(7, 300, p=[0.4, 0.2, 0.15, 0.1, 0.1, 0.04, 0.01])
    said = np.where(rng.uniform(size=300) < 0.75, truth, rng.choice(7, 300))
    return [
        labelled("seven labels", truth, said, 7),
        labelled("good or bad", (truth > 0).astype(int), (said > 0).astype(int), 2),
        labelled("one is never said", [0, 0, 1, 1, 2], [0, 0, 1, 0, 0], 4),
        labelled("one is only said", [0, 0, 1], [0, 2, 1], 3),
        labelled("all wrong", [0, 1, 0], [1, 0, 1], 2),
        labelled("always the same", [0, 0, 0], [0, 0, 0], 2),
    ]


def mcnemar():
    pairs = [(0, 0), (0, 5), (5, 0), (3, 9), (40, 21), (7, 7), (300, 250)]
    p = [1.0 if a + b == 0 else binomtest(min(a, b), a + b).pvalue for a, b in pairs]
    return [{"first": a, "second": b, "p": p} for (a, b), p in zip(pairs, p)]


def pixel_figures(maps, masks, threshold):
    """`maps` floats and `masks` bools, [pictures, rows, columns]."""
    flat, truth = maps.ravel().astype(np.float32), masks.ravel()
    marked = flat >= np.float32(threshold)
    figures = {"threshold": threshold}
    if marked.any() or truth.any():
        figures["iou"] = metrics.jaccard_score(truth, marked)
    if truth.any() and not truth.all():
        figures["auroc"] = metrics.roc_auc_score(truth, flat.astype(float))
        figures["aupro"] = aupro(maps, masks)
    return figures


def aupro(maps, masks):
    metric = AUPRO(fpr_limit=0.3)
    metric.register_buffer("fpr_limit", torch.tensor(0.3, dtype=torch.float64))
    metric.update(torch.from_numpy(maps.astype(np.float32)), torch.from_numpy(masks).int())
    single, torch.Tensor.float = torch.Tensor.float, torch.Tensor.double
    try:
        return metric.compute().item()
    finally:
        torch.Tensor.float = single


def blobs(rng, pictures, rows, columns, count):
    """Masks with up to `count` discs each; every third is empty."""
    y, x = np.mgrid[:rows, :columns]
    masks = np.zeros((pictures, rows, columns), bool)
    for index in range(pictures):
        for _ in range(0 if index % 3 == 2 else count):
            radius = rng.uniform(0.5, 5)
            masks[index] |= (x - rng.uniform(0, columns)) ** 2 + (
                y - rng.uniform(0, rows)
            ) ** 2 < radius**2
    return masks


def pixel_case(name, maps, masks, threshold=0.5):
    return {
        "name": name,
        "width": maps.shape[2],
        "maps": [singles(m.ravel()) for m in maps],
        "masks": ["".join("01"[int(bit)] for bit in mask.ravel()) for mask in masks],
    } | pixel_figures(maps, masks, threshold)


def pixels(rng):
    shape = (6, 20, 28)
    masks = blobs(rng, *shape, 4)
    noise = rng.uniform(size=shape)
    logits = rng.normal(size=shape) * 6 - 8 + 14 * masks
    ends = 1 / (1 + np.exp(-logits))
    corners = np.zeros((1, 8, 8), bool)
    corners[0, [0, 1, 2, 5, 7, 7], [0, 1, 2, 5, 0, 7]] = True
    none = np.zeros_like(masks)
    rounded = lambda values, steps: np.round(np.asarray(values) * steps) / steps
    return [
        pixel_case("noise", noise, masks),
        pixel_case("most at the ends", ends, masks, 0.7),
        # Not picture 2: anomalib takes one that is defective all over for a good one.
        pixel_case("one minus", 1 - ends[[0, 1, 3]], ~masks[[0, 1, 3]], 0.3),
        pixel_case("ties", rounded(0.6 * noise + 0.4 * masks, 8), masks),
        pixel_case("as a heatmap of bytes", rounded(0.8 * noise + 0.2 * masks, 255), masks),
        pixel_case("touching at corners", rounded(rng.uniform(size=(1, 8, 8)), 16), corners),
        pixel_case("no defect", noise[:2, :6, :6], none[:2, :6, :6], 0.9),
        pixel_case("nothing but defect", noise[:2, :6, :6], ~none[:2, :6, :6], 0.9),
        pixel_case("zero and one", masks[:3].astype(float), masks[[0, 2, 1]]),
    ]


def many_pixels():
    """Two pictures of 600 x 400 made by a rule that the test knows too."""
    index = np.arange(2 * 400 * 600, dtype=np.uint64)
    hashed = lambda factor: ((index * factor) & 0xFFFFFFFF) >> 8
    x, y = index % 600, index // 600 % 400
    masks = (x % 97 < 9) & (y % 61 < 13)
    one, other = hashed(2654435761), hashed(2246822519)
    maps = np.where(masks, np.maximum(one, other), one).astype(float) / 2**24
    shape = (2, 400, 600)
    return pixel_figures(maps.reshape(shape), masks.reshape(shape), 0.75)


def box_figures(pictures, labels, limit):
    known, found = [], []
    for image, picture in enumerate(pictures, 1):
        for label, (left, top, right, bottom) in picture["known"]:
            box = [left, top, right - left, bottom - top]
            known.append(
                {"id": len(known) + 1, "image_id": image, "category_id": label + 1, "bbox": box}
                | {"area": box[2] * box[3], "iscrowd": 0}
            )
        for label, score, (left, top, right, bottom) in picture["found"]:
            box = [left, top, right - left, bottom - top]
            found.append({"image_id": image, "category_id": label + 1, "bbox": box, "score": score})
    if not known:
        return {}
    images = [{"id": image + 1} for image in range(len(pictures))]
    categories = [{"id": label + 1, "name": str(label)} for label in range(labels)]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {"images": images, "annotations": known, "categories": categories}
        truth.createIndex()

        def evaluate(boxes, overlap):
            answers = truth.loadRes(boxes) if boxes else COCO()
            run = COCOeval(truth, answers, "bbox")
            run.params.iouThrs = np.array([overlap])
            run.params.imgIds = [image["id"] for image in images]
            run.params.areaRng, run.params.areaRngLbl = [[0, 1e10]], ["all"]
            run.evaluate()
            run.accumulate()
            precision = run.eval["precision"][0, :, :, 0, -1]
            matches = [e["dtMatches"][0] > 0 for e in run.evalImgs if e]
            hits, counted = sum(m.sum() for m in matches), sum(len(m) for m in matches)
            f1 = 2 * hits / (counted + len(known))
            return precision[precision > -1].mean(), f1

        reaching = [box for box in found if box["score"] >= limit]
        _, f1 = evaluate(reaching, 0.33)
        figures = {name: evaluate(found, at)[0] for name, at in (("map33", 0.33), ("map50", 0.5))}
    return figures | {"f1": f1}


def box_case(name, pictures, labels, limit=0.0):
    return {"name": name, "labels": labels, "limit": limit, "pictures": pictures} | box_figures(
        pictures, labels, limit
    )


def some_boxes(rng, pictures, labels, most, jitter, steps=None):
    made = []
    for _ in range(pictures):
        known, found = [], []
        for _ in range(rng.integers(0, most)):
            label, (x, y) = int(rng.integers(labels)), rng.integers(0, 200, 2)
            w, h = rng.integers(4, 60, 2)
            known.append([label, [float(v) for v in (x, y, x + w, y + h)]])
            for _ in range(rng.integers(0, 3)):
                moved = (
                    np.round(np.array([x, y, x + w, y + h]) + rng.normal(size=4) * jitter * 4) / 4
                )
                if moved[0] < moved[2] and moved[1] < moved[3]:
                    said = label if rng.uniform() < 0.85 else int(rng.integers(labels))
                    score = rng.uniform()
                    score = np.round(score * steps) / steps if steps else np.float32(score)
                    found.append([said, float(score), moved.tolist()])
        made.append({"known": known, "found": found})
    return made


def boxes(rng):
    here, near = [10.0, 10.0, 30.0, 30.0], [12.0, 10.0, 32.0, 30.0]
    twin = [{"known": [[0, here], [0, here]], "found": [[0, 0.9, near], [0, 0.8, near]]}]
    crowd = [
        {
            "known": [[0, [float(10 * i), 0.0, 10.0 * i + 8, 8.0]] for i in range(130)],
            "found": [
                [0, float(np.float32(1 - i / 200)), [10.0 * i, 0.0, 10.0 * i + 8, 8.0]]
                for i in range(130)
            ],
        }
    ]
    none_known = [{"known": [], "found": [[0, 0.5, here]]}]
    return [
        box_case("three labels", some_boxes(rng, 20, 3, 8, 4.0), 3),
        box_case("three labels at a limit", some_boxes(rng, 20, 3, 8, 4.0), 3, 0.5),
        box_case("ties", some_boxes(rng, 15, 2, 6, 5.0, steps=4), 2, 0.25),
        box_case("one label", some_boxes(rng, 10, 1, 12, 6.0), 1),
        box_case("a label nobody knows", some_boxes(rng, 6, 2, 5, 3.0) + none_known, 4),
        box_case("two known boxes in one place", twin, 1),
        box_case("more than a hundred", crowd, 1),
        box_case("nothing found", [{"known": [[0, here]], "found": []}], 1),
        box_case("nothing known", none_known, 1),
        box_case(
            "overlap of exactly a half",
            [{"known": [[0, here]], "found": [[0, 0.5, [10.0, 10.0, 20.0, 30.0]]]}],
            1,
        ),
    ]


def resize(rng):
    cases = []
    for (rows, columns), (height, width) in [
        ((5, 7), (23, 40)),
        ((8, 8), (8, 8)),
        ((9, 12), (4, 5)),
    ]:
        grid = torch.from_numpy(rng.uniform(size=(1, 1, rows, columns)).astype(np.float32))
        scaled = torch.nn.functional.interpolate(
            grid, size=(height, width), mode="bilinear", align_corners=False
        )
        cases.append(
            {"rows": rows, "columns": columns, "grid": singles(grid.numpy().ravel())}
            | {"height": height, "width": width, "pixels": singles(scaled.numpy().ravel())}
        )
    return cases


def main():
    OUT.mkdir(exist_ok=True)
    rng = np.random.default_rng(7)
    write("rankings", rankings(rng))
    write("labels", labels(rng))
    write("mcnemar", mcnemar())
    write("pixels", pixels(rng))
    write("many_pixels", many_pixels())
    write("boxes", boxes(rng))
    write("resize", resize(rng))


if __name__ == "__main__":
    main()
