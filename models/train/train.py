"""Trains a segmenter on one folder of labelled pictures and writes its bundle.

    python models/train/train.py --data DIR --out models/zoo/NAME

Chooses everything (length, limits) on groups held inside the training split, then fits once more on
all of it. The held-out split is only reported on.
"""

import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

import bundle
import evaluate
import sets
from data import IGNORE
from net import MEAN, STD, STRIDE, Segmenter


def crop(sample, settings, rng):
    """A random crop, scaled a little; `settings.seek` of a defective picture's hold a defect."""
    view, size = sample.around, settings.crop
    height, width = view.labels.shape
    side = [
        min(round(s / rng.uniform(*settings.zoom)), limit)
        for s, limit in zip(size, (height, width))
    ]
    top, left = rng.randint(0, height - side[0]), rng.randint(0, width - side[1])
    rows, columns = np.nonzero((view.labels > 0) & (view.labels != IGNORE))
    if len(rows) and rng.random() < settings.seek:
        pick = rng.randrange(len(rows))
        top = int(np.clip(rows[pick] - rng.randint(0, side[0] - 1), 0, height - side[0]))
        left = int(np.clip(columns[pick] - rng.randint(0, side[1] - 1), 0, width - side[1]))
    window = np.s_[top : top + side[0], left : left + side[1]]
    pixels = torch.from_numpy(view.pixels[window].copy()).permute(2, 0, 1)[None].float() / 255
    labels = torch.from_numpy(view.labels[window].copy())[None, None]
    pixels = F.interpolate(pixels, size, mode="bilinear", antialias=True)[0]
    return pixels, F.interpolate(labels, size, mode="nearest")[0, 0]


def disturb(pixels, rng):
    """Light, colour, focus and noise as they differ from camera to camera."""
    noise = np.random.default_rng(rng.getrandbits(32))
    gain = rng.uniform(0.8, 1.25) * torch.tensor([rng.uniform(0.93, 1.07) for _ in range(3)])
    pixels = (pixels.clamp(1e-3, 1) ** rng.uniform(0.85, 1.18)) * gain[:, None, None] + rng.uniform(
        -0.06, 0.06
    )
    if rng.random() < 0.25:
        soft = F.avg_pool2d(F.pad(pixels[None], [1] * 4, mode="replicate"), 3, 1)[0]
        pixels = torch.lerp(pixels, soft, rng.random())
    if rng.random() < 0.5:
        sigma = rng.uniform(0, 0.02)
        pixels = pixels + torch.from_numpy(noise.normal(0, sigma, pixels.shape).astype(np.float32))
    return pixels.clamp(0, 1)


def batch_from(samples, settings, rng):
    pixels, labels = [], []
    for sample in samples:
        image, classes = crop(sample, settings, rng)
        image = disturb(image, rng)
        for axis in settings.flips:
            if rng.random() < 0.5:
                image, classes = image.flip(axis), classes.flip(axis)
        if rng.random() < settings.grey:
            image = image.mean(0, keepdim=True).expand(3, -1, -1)
        pixels.append(image)
        labels.append(classes)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (torch.stack(pixels) - mean) / std, torch.stack(labels)


def cells_from(labels, count, fraction=0.15):
    """Classes on the output grid: a cell is a defect's when the defect covers `fraction` of it.
    Cells a defect merely touches are left out of the loss."""
    share = [F.avg_pool2d((labels == c).float()[:, None], STRIDE)[:, 0] for c in range(1, count)]
    best, which = torch.stack(share).max(0)
    unknown = F.avg_pool2d((labels == IGNORE).float()[:, None], STRIDE)[:, 0] > 0
    cells = torch.where(best >= fraction, which + 1, 0)
    return torch.where((best < fraction) & ((best > 0) | unknown), IGNORE, cells)


def loss_from(logits, labels, hardest=0.01):
    """Every class present weighs the same, whatever its area; half of the good cells' weight is on
    the hardest hundredth of them, which is what a highest-score rule will meet."""
    count = logits.shape[1]
    cells = cells_from(labels, count)
    each = F.cross_entropy(logits, cells, ignore_index=IGNORE, reduction="none")
    good = each[cells == 0]
    hard = good.topk(max(1, int(len(good) * hardest))).values.mean()
    terms = [(good.mean() + hard) / 2]
    defects = [each[cells == c].mean() for c in range(1, count) if (cells == c).any()]
    if defects:
        terms.append(torch.stack(defects).mean())
    return torch.stack(terms).sum()


def fit(samples, labels, settings, steps, seed, note):
    """Trains from ImageNet weights; gives the network with weights averaged over the last steps."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    net = Segmenter(len(labels)).to(memory_format=torch.channels_last)
    net.backbone.load_imagenet()
    optimizer = torch.optim.AdamW(net.parameter_groups(settings.rate), weight_decay=1e-2)
    rates = [g["lr"] for g in optimizer.param_groups]
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rates, total_steps=steps, pct_start=0.1
    )
    slow = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.98)
    )
    deck, began, running = [], time.monotonic(), 0.0
    for step in range(1, steps + 1):
        while len(deck) < settings.batch:
            deck += rng.sample(samples, len(samples))
        chosen, deck = deck[: settings.batch], deck[settings.batch :]
        pixels, classes = batch_from(chosen, settings, rng)
        loss = loss_from(net(pixels.contiguous(memory_format=torch.channels_last)), classes)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        slow.update_parameters(net)
        running = loss.item() if step == 1 else 0.95 * running + 0.05 * loss.item()
        if step % 25 == 0 or step == steps:
            print(
                f"{note} {step}/{steps} loss {running:.3f} {time.monotonic() - began:.0f} s",
                flush=True,
            )
    return slow.module.eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, nargs="+", help="folders to train on")
    parser.add_argument(
        "--held", type=Path, nargs="*", default=[], help="folders only to report on"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="bundle folder; its name picks the settings"
    )
    parser.add_argument("--steps", type=int, help="training steps, instead of the set's own")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    settings = sets.SETS[arguments.out.name]
    if arguments.steps:
        settings.steps = settings.inner_steps = arguments.steps
    labels, samples = settings.load(arguments.data, arguments.held)
    training = [s for s in samples if s.split == "train"]
    folds = sets.folds_from(training)
    print(
        f"{len(training)} samples to train on, {len(samples) - len(training)} held out", flush=True
    )

    inner = []
    for i, fold in enumerate(folds[: settings.folds]):
        others = [s for other in folds if other is not fold for s in other]
        trial = fit(
            others, labels, settings, settings.inner_steps, arguments.seed, f"inner {i + 1}"
        )
        model = evaluate.Model(bundle.export(trial, settings.size), arguments.threads)
        inner += [(sample, model(sample.shown.pixels)) for sample in fold]
    limits = evaluate.choose(labels, inner)
    print("chosen", limits, flush=True)
    net = fit(training, labels, settings, settings.steps, arguments.seed, "final")
    bundle.write(arguments.out, net, labels, settings, limits, samples)


if __name__ == "__main__":
    main()
