"""How good a model is, by the rule the station applies. Takes probabilities, gives limits and figures.

    python models/train/evaluate.py BUNDLE --data DIR --reject-at R --undecided-from U

A segmenter's cell belongs to a defect when a label's probability reaches the pixel threshold; touching
cells of one label are a blob; blobs under `min_cells` are dropped; a picture's score is its best cell
left. A classifier's picture has the score of its likeliest defect.
"""

import argparse
import tomllib
from pathlib import Path

import numpy as np
import onnxruntime
from scipy import ndimage, stats

import data as pictures
from data import GOOD, IGNORE
from net import MEAN, STD, STRIDE

EIGHT = np.ones((3, 3), int)


class Model:
    """Gives probabilities [labels, h, w] (a classifier: [labels]) of uint8 pixels [H, W, 3], on the
    CPU."""

    def __init__(self, onnx, activation="softmax", threads=2):
        self.activation = activation
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(
            onnx, options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, pixels):
        image = (pixels.astype(np.float32) / 255 - np.float32(MEAN)) / np.float32(STD)
        logits = self.session.run(
            None, {"image": image.transpose(2, 0, 1)[None].astype(np.float32)}
        )[0][0]
        if self.activation == "sigmoid":
            return 1 / (1 + np.exp(-logits))
        powers = np.exp(logits - logits.max(0))
        return powers / powers.sum(0)


def scores_from(probabilities, pixel_threshold, min_cells):
    """The best blob's score of each label; the good label's is left at 0."""
    scores = np.zeros(len(probabilities))
    for label, plane in enumerate(probabilities[1:], 1):
        blobs, count = ndimage.label(plane >= pixel_threshold, EIGHT)
        if count:
            sizes = np.bincount(blobs.ravel(), minlength=count + 1)
            best = ndimage.maximum(plane, blobs, range(1, count + 1))
            scores[label] = max((b for b, s in zip(best, sizes[1:]) if s >= min_cells), default=0.0)
    return scores


def auroc(bad, good):
    bad, good = np.asarray(bad), np.asarray(good)
    return float(((bad[:, None] > good).mean() + (bad[:, None] >= good).mean()) / 2)


def interval(count, of):
    """Clopper-Pearson, 95 %."""
    low = 0.0 if count == 0 else stats.beta.ppf(0.025, count, of - count + 1)
    high = 1.0 if count == of else stats.beta.ppf(0.975, count + 1, of - count)
    return {
        "count": int(count),
        "of": int(of),
        "rate": count / of,
        "low95": float(low),
        "high95": float(high),
    }


def pixel_counts(probabilities, labels, bins=1000):
    """Histograms of the defect probability over good and over defective pixels of the input."""
    defect = (1 - probabilities[0]).repeat(STRIDE, 0).repeat(STRIDE, 1)
    level = np.minimum((defect * bins).astype(int), bins - 1)
    bad, good = (labels > 0) & (labels != IGNORE), labels == 0
    return np.stack([np.bincount(level[m], minlength=bins) for m in (good, bad)])


def pixel_figures(counts, pixel_threshold):
    good, bad = np.cumsum(counts[:, ::-1], axis=1)
    precision, recall = bad / np.maximum(good + bad, 1), bad / bad[-1]
    at = max(0, len(bad) - 1 - int(pixel_threshold * len(bad)))
    ap = float(np.sum(np.diff(recall, prepend=0) * precision))
    return {"ap": ap, "iou": float(bad[at] / (bad[-1] + good[at]))}


def choose(labels, inner):
    """The limits that serve the inner samples best, from (sample, probabilities) pairs. The lowest
    pixel threshold whose overlap is within 2 % of the best; the smallest blob by AUROC; then as
    `limits_from`."""
    counts = sum(pixel_counts(p, s.shown.labels) for s, p in inner)
    thresholds = [round(0.2 + 0.05 * i, 2) for i in range(15)]
    overlap = {t: pixel_figures(counts, t)["iou"] for t in thresholds}
    pixel_threshold = min(t for t in thresholds if overlap[t] >= 0.98 * max(overlap.values()))
    bad = np.array([s.label != labels[0] for s, _ in inner])

    def scores(min_cells):
        return np.array([scores_from(p, pixel_threshold, min_cells).max() for _, p in inner])

    def auroc_with(min_cells):
        found = scores(min_cells)
        return auroc(found[bad], found[~bad])

    # Without good pictures there is nothing to tell a blob's size by.
    min_cells = 1 if bad.all() else max((1, 2, 3, 4, 6), key=auroc_with)
    return {
        "pixel_threshold": pixel_threshold,
        "min_cells": min_cells,
        **limits_from(scores(min_cells), bad, pixel_threshold),
        "inner_pixel_ap": round(pixel_figures(counts, pixel_threshold)["ap"], 4),
    }


def limits_from(found, bad, lowest):
    """`reject_at` by escape plus overkill; `undecided_from` as low as stops at most 5 % more good
    pictures. Without good pictures, from `lowest` on."""
    if bad.all():
        return {"reject_at": lowest, "undecided_from": lowest}
    levels = np.unique(np.concatenate([found[found > 0], [lowest, 1.0]]))
    middles = (levels[1:] + levels[:-1]) / 2
    escape = np.array([(found[bad] < m).mean() for m in middles])
    overkill = np.array([(found[~bad] >= m).mean() for m in middles])
    at = int(np.argmin(escape + overkill))
    below = int(np.argmax(overkill <= overkill[at] + 0.05))
    return {
        "reject_at": round(float(middles[at]), 3),
        "undecided_from": round(float(middles[below]), 3),
        "inner_auroc": round(auroc(found[bad], found[~bad]), 4),
        "inner_escape": round(float(escape[at]), 4),
        "inner_overkill": round(float(overkill[at]), 4),
    }


def choose_classes(labels, inner):
    """A classifier's limits, from (sample, probabilities) pairs. Without good pictures there are
    none: such a model only sorts defects by kind."""
    rows, bad = np.array([p for _, p in inner]), np.array([s.label != GOOD for s, _ in inner])
    limits = {
        "inner_accuracy": round(float(correct(labels, [s for s, _ in inner], rows).mean()), 4)
    }
    if bad.all():
        return limits
    return limits | limits_from(rows[:, 1:].max(1), bad, 0.0)


def correct(labels, samples, rows):
    """Whether each picture's likeliest label is one it has."""
    return np.array([labels[row.argmax()] in s.label.split("|") for s, row in zip(samples, rows)])


def class_figures(model, labels, limits, samples):
    """What a classifier's card reports, and each picture's row of probabilities."""
    rows = np.array([model(s.shown.pixels) for s in samples])
    right, of = correct(labels, samples, rows), len(samples)
    figures = {"images": of, "groups": len({s.group for s in samples})}
    figures["accuracy"] = interval(right.sum(), of)
    said, per_class = [labels[row.argmax()] for row in rows], {}
    for label in labels:
        has = np.array([label in s.label.split("|") for s in samples])
        says = np.array([word == label for word in said])
        if has.any():
            recall, precision = (
                (has & says).sum() / has.sum(),
                (has & says).sum() / max(says.sum(), 1),
            )
            f1 = 2 * recall * precision / max(recall + precision, 1e-9)
            per_class[label] = (recall, precision, f1)
            figures[f"recall_{label}"] = interval((has & says).sum(), has.sum())
    for i, name in enumerate(("macro_recall", "macro_precision", "macro_f1")):
        figures[name] = float(np.mean([row[i] for row in per_class.values()]))
    bad = np.array([s.label != GOOD for s in samples])
    best = rows[:, 1:].max(1)
    if "reject_at" in limits and bad.any() and not bad.all():
        add_decisions(figures, limits, best, bad)
    return figures, rows


def class_table(figures, limits):
    """A classifier's figures as a Markdown table."""
    lines = [
        ("pictures / groups", f"{figures['images']} / {figures['groups']}"),
        ("accuracy", rate(figures["accuracy"])),
    ]
    for name in ("macro_recall", "macro_precision", "macro_f1"):
        lines.append((name.replace("_", " "), f"{100 * figures[name]:.2f} %"))
    lines += decision_lines(figures, limits)
    for key, value in figures.items():
        if key.startswith("recall_"):
            lines.append((f"{key.removeprefix('recall_')}: named so", rate(value)))
    return markdown(lines)


def add_decisions(figures, limits, best, bad):
    """AUROC, escape and overkill of pictures with the scores `best`."""
    rng = np.random.default_rng(0)
    drawn = [
        (rng.choice(best[bad], bad.sum()), rng.choice(best[~bad], (~bad).sum()))
        for _ in range(1000)
    ]
    figures["auroc"] = auroc(best[bad], best[~bad])
    figures["auroc_low95"], figures["auroc_high95"] = np.quantile(
        [auroc(*d) for d in drawn], [0.025, 0.975]
    ).tolist()
    for name in ("reject_at", "undecided_from"):
        caught = best >= limits[name]
        figures[f"escape_{name}"] = interval((~caught[bad]).sum(), bad.sum())
        figures[f"overkill_{name}"] = interval(caught[~bad].sum(), (~bad).sum())


def decision_lines(figures, limits):
    """Rows of a table, of what `add_decisions` added; none where it added nothing."""
    if "auroc" not in figures:
        return []
    interval95 = "{auroc:.4f} (95 %, bootstrap: {auroc_low95:.4f}–{auroc_high95:.4f})"
    lines = [("image AUROC", interval95.format(**figures))]
    for name, what in (("reject_at", "rejecting"), ("undecided_from", "rejecting and undecided")):
        for kind in ("escape", "overkill"):
            lines.append(
                (f"{kind}, {what} (score ≥ {limits[name]})", rate(figures[f"{kind}_{name}"]))
            )
    return lines


def markdown(lines):
    return "\n".join(["| figure | value |", "|---|---|", *(f"| {a} | {b} |" for a, b in lines)])


def figures_from(model, labels, limits, samples):
    """Everything the card reports, of samples the model was not chosen on."""
    counts, rows = 0, []
    for sample in samples:
        probabilities = model(sample.shown.pixels)
        counts = counts + pixel_counts(probabilities, sample.shown.labels)
        rows.append(scores_from(probabilities, limits["pixel_threshold"], limits["min_cells"]))
    rows, best = np.array(rows), np.max(rows, axis=1)
    bad = np.array([s.label != labels[0] for s in samples])
    figures = {"images": len(samples), "groups": len({s.group for s in samples})}
    if bad.any() and not bad.all():
        add_decisions(figures, limits, best, bad)
    caught = best >= limits["reject_at"]
    for index, label in enumerate(labels[1:], 1):
        of = np.array([label in s.label.split("|") for s in samples])
        if of.any():
            figures[f"recall_{label}"] = interval(caught[of].sum(), of.sum())
            figures[f"named_{label}"] = interval(
                (rows[of, index] >= limits["reject_at"]).sum(), of.sum()
            )
    figures["pixel"] = pixel_figures(counts, limits["pixel_threshold"])
    return figures, best


def rate(figure):
    return "{:.1f} % ({count} of {of}; 95 %: {:.1f}–{:.1f} %)".format(
        *(100 * figure[k] for k in ("rate", "low95", "high95")), **figure
    )


def table(figures, limits):
    """The figures as a Markdown table."""
    lines = [("pictures / groups", f"{figures['images']} / {figures['groups']}")]
    lines += decision_lines(figures, limits)
    for key, value in figures.items():
        if key.startswith("recall_"):
            name = key.removeprefix("recall_")
            lines.append((f"{name}: picture caught", rate(value)))
            lines.append((f"{name}: a {name} found, at that limit", rate(figures[f"named_{name}"])))
    lines.append(("pixel AP, any defect", f"{figures['pixel']['ap']:.3f}"))
    lines.append((f"pixel IoU at {limits['pixel_threshold']}", f"{figures['pixel']['iou']:.3f}"))
    return markdown(lines)


def main():
    import sets

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", type=Path, required=True, nargs="+")
    parser.add_argument("--split", default="val", help="of an index.csv (%(default)s)")
    parser.add_argument("--reject-at", type=float, help="the recipe's limits; the card has them")
    parser.add_argument("--undecided-from", type=float)
    arguments = parser.parse_args()
    manifest = tomllib.loads((arguments.bundle / "model.toml").read_text())
    sees, gives = manifest["input"], manifest["output"]
    limits = dict(gives)
    if arguments.reject_at is not None:
        limits["reject_at"] = arguments.reject_at
        limits["undecided_from"] = arguments.undecided_from or arguments.reject_at
    elif manifest["kind"] == "segmenter":
        limits |= dict.fromkeys(("reject_at", "undecided_from"), gives["pixel_threshold"])
    segments, size = manifest["kind"] == "segmenter", (sees["width"], sees["height"])
    if (arguments.data[0] / "truth.json").exists():
        _, samples = sets.load_parts([], arguments.data, "val")
    else:
        _, samples = pictures.load_index(arguments.data[0], size, arguments.split, segments)
        samples = [s for s in samples if s.split == arguments.split]
    model = Model(arguments.bundle / manifest["file"]["onnx"], gives["activation"])
    if segments:
        print(table(figures_from(model, gives["labels"], limits, samples)[0], limits))
    else:
        print(class_table(class_figures(model, gives["labels"], limits, samples)[0], limits))


if __name__ == "__main__":
    main()
