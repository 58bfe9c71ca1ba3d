"""Trains a classifier on pictures with one or several labels each and writes its bundle.

    python models/train/train_classifier.py --data INDEX.csv --out BUNDLE

It needs no masks. Chooses everything (length, limits) on groups held inside the training split, then
fits once more on all of it. The held-out split is only reported on.
"""

from collections import Counter

import torch
from torch.nn import functional as F

import augment
import bundle
import evaluate
import sets
from fit import Task, device_from, fit, inner_fits
from net import Classifier


def targets_from(samples, labels):
    """[N, labels]: 1 where the picture has the label."""
    return torch.tensor([[float(l in s.label.split("|")) for l in labels] for s in samples])


def loss_for(samples, labels, several):
    """Rare labels weigh more, by the square root of how rare they are. Labels that may come together
    are judged each by itself; else they compete."""
    counts = Counter(label for s in samples for label in s.label.split("|"))
    weight = torch.tensor([(len(samples) / (counts[l] or len(samples))) ** 0.5 for l in labels])
    weight = weight / weight.min()

    def loss(logits, targets):
        given = weight.to(logits.device)
        if several:
            return F.binary_cross_entropy_with_logits(logits, targets, weight=given)
        return F.cross_entropy(logits, targets.argmax(1), weight=given)

    return loss


def main():
    arguments = sets.arguments_from(__doc__.splitlines()[0])
    torch.set_num_threads(arguments.threads)
    device = device_from(arguments.device)
    settings = sets.settings_for(arguments, masks=False)
    labels, training, held = sets.samples_for(arguments, settings)
    several = any("|" in s.label for s in training)
    task = Task(
        make=lambda: Classifier(len(labels)),
        batch=lambda samples, rng: (
            augment.crops(samples, settings, rng)[0],
            targets_from(samples, labels),
        ),
        shown=lambda samples: (augment.shown(samples)[0], targets_from(samples, labels)),
        loss=loss_for(training, labels, several),
    )
    activation = "sigmoid" if several else "softmax"
    inner, curve = [], []
    folds = sets.folds_from(training)
    for fold, trial, points in inner_fits(task, folds, settings, arguments.seed, device):
        network = bundle.export(trial, settings.size)
        model = evaluate.Model(network, activation, arguments.threads)
        inner += [(sample, model(sample.shown.pixels)) for sample in fold]
        curve += points
    limits = evaluate.choose_classes(labels, inner)
    print("chosen", limits, flush=True)
    net, points = fit(task, training, [], settings, settings.steps, arguments.seed, "final", device)
    bundle.write_classifier(
        arguments.out, net, labels, activation, settings, limits, held, curve + points
    )


if __name__ == "__main__":
    main()
