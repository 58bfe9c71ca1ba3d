"""Trains a segmenter on labelled pictures and writes its bundle.

    python models/train/train.py --data INDEX.csv --out BUNDLE

Chooses everything (length, limits) on groups held inside the training split, then fits once more on
all of it. The held-out split is only reported on.
"""

import torch
from torch.nn import functional as F

import augment
import bundle
import evaluate
import sets
from data import IGNORE, says_where
from fit import Task, device_from, fit, inner_fits
from net import STRIDE, Segmenter


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


def main():
    arguments = sets.arguments_from(__doc__.splitlines()[0])
    torch.set_num_threads(arguments.threads)
    device = device_from(arguments.device)
    settings = sets.settings_for(arguments, masks=True)
    labels, training, held = sets.samples_for(arguments, settings)
    task = Task(
        make=lambda: Segmenter(len(labels)),
        batch=lambda samples, rng: augment.crops(samples, settings, rng),
        shown=augment.shown,
        loss=loss_from,
        teaches=says_where,
    )
    sets.check_places(training)
    inner, curve = [], []
    folds = sets.folds_from(training)
    for fold, trial, points in inner_fits(task, folds, settings, arguments.seed, device):
        model = evaluate.Model(bundle.export(trial, settings.size), threads=arguments.threads)
        inner += [(sample, model(sample.shown.pixels)) for sample in fold]
        curve += points
    limits = evaluate.choose(labels, inner)
    print("chosen", limits, flush=True)
    net, points = fit(task, training, [], settings, settings.steps, arguments.seed, "final", device)
    bundle.write_segmenter(arguments.out, net, labels, settings, limits, held, curve + points)


if __name__ == "__main__":
    main()
