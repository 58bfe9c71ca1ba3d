"""Training crops: takes samples, gives disturbed pictures as a camera of another day shows them.

Normalised pixels [N, 3, H, W] and class maps [N, H, W] come out.
"""

import numpy as np
import torch
from torch.nn import functional as F

from data import IGNORE
from net import MEAN, STD


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


def shade(pixels, rng):
    """A lamp that lights one side more: brightness changes evenly across the picture."""
    _, height, width = pixels.shape
    slopes = [rng.uniform(-0.2, 0.2) for _ in range(2)]
    down, across = torch.linspace(-1, 1, height)[:, None], torch.linspace(-1, 1, width)[None]
    return (pixels * (1 + slopes[0] * down + slopes[1] * across)).clamp(0, 1)


def normalised(pixels):
    """What the network takes, of pixels [.., 3, H, W] from 0 to 1."""
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, STD))
    return (pixels - mean) / std


def shown(samples):
    """Samples exactly as the station shows them: normalised pixels and class maps."""
    pixels = torch.stack([torch.from_numpy(s.shown.pixels.copy()) for s in samples])
    labels = torch.stack([torch.from_numpy(s.shown.labels.copy()) for s in samples])
    return normalised(pixels.permute(0, 3, 1, 2).float() / 255), labels


def crops(samples, settings, rng):
    """One training crop of each sample."""
    pixels, labels = [], []
    for sample in samples:
        image, classes = crop(sample, settings, rng)
        image = disturb(image, rng)
        if settings.shade:
            image = shade(image, rng)
        for axis in settings.flips:
            if rng.random() < 0.5:
                image, classes = image.flip(axis), classes.flip(axis)
        if rng.random() < settings.grey:
            image = image.mean(0, keepdim=True).expand(3, -1, -1)
        pixels.append(image)
        labels.append(classes)
    return normalised(torch.stack(pixels)), torch.stack(labels)
