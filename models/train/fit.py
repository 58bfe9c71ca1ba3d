"""One fit: takes a network's maker, samples and how to make batches and losses of them; gives the
network with weights averaged over the last steps, and the curve of its losses.

The same seed, machine and number of threads give the same weights.
"""

import copy
import random
import time
from dataclasses import dataclass

import torch


@dataclass
class Point:
    """A place on a curve: losses after `step` of the fit called `fit`."""

    fit: str
    step: int
    loss: float  # of training batches, smoothed
    held: float | None  # of samples the fit does not see, as the station shows them


@dataclass
class Task:
    """What is learnt. `batch` and `shown` give (normalised pixels, targets)."""

    make: callable  # () -> network with its ImageNet weights
    batch: callable  # (samples, rng) -> disturbed crops
    shown: callable  # (samples) -> the samples as the station shows them
    loss: callable  # (logits, targets) -> scalar
    teaches: callable = lambda sample: True  # whether a sample is learnt from; else only judged


def device_from(name):
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


@torch.no_grad()
def held_loss(net, task, held, device, at_a_time=4):
    """Of at most 24 samples, spread evenly over what is held."""
    net = copy.deepcopy(net).eval()
    some, losses = held[:: len(held) // 24 + 1], []
    for i in range(0, len(some), at_a_time):
        pixels, targets = (t.to(device) for t in task.shown(some[i : i + at_a_time]))
        losses.append(task.loss(net(pixels), targets).item())
    return sum(losses) / len(losses)


def fit(task, samples, held, settings, steps, seed, name, device):
    """Trains from ImageNet weights; `held` is only looked at, for the curve."""
    samples = [s for s in samples if task.teaches(s)]
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    rng = random.Random(seed)
    net = task.make().to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameter_groups(settings.rate), weight_decay=1e-2)
    rates = [g["lr"] for g in optimizer.param_groups]
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rates, total_steps=steps, pct_start=0.1
    )
    slow = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.98)
    )
    deck, began, running, curve = [], time.monotonic(), 0.0, []
    for step in range(1, steps + 1):
        while len(deck) < settings.batch:
            deck += rng.sample(samples, len(samples))
        chosen, deck = deck[: settings.batch], deck[settings.batch :]
        pixels, targets = (t.to(device) for t in task.batch(chosen, rng))
        loss = task.loss(net(pixels.contiguous(memory_format=torch.channels_last)), targets)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        slow.update_parameters(net)
        running = loss.item() if step == 1 else 0.95 * running + 0.05 * loss.item()
        if step % 25 == 0 or step == steps:
            curve.append(Point(name, step, running, None))
            if held and (step % (steps // 8 + 1) < 25 or step == steps):
                curve[-1].held = held_loss(slow.module, task, held, device)
            seen = f" held {curve[-1].held:.3f}" if curve[-1].held is not None else ""
            took = time.monotonic() - began
            print(f"{name} {step}/{steps} loss {running:.3f}{seen} {took:.0f} s", flush=True)
    return slow.module.eval().cpu(), curve


def inner_fits(task, folds, settings, seed, device):
    """For each of the first `settings.folds` folds: a fit on the others, and its curve."""
    for i, fold in enumerate(folds[: settings.folds]):
        others = [s for other in folds if other is not fold for s in other]
        yield (
            fold,
            *fit(
                task, others, fold, settings, settings.inner_steps, seed, f"inner {i + 1}", device
            ),
        )
