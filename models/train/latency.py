"""How long a picture takes in a Python framework and here: exports a network, imports it, times both, gives JSON.

    python models/train/latency.py mobilenet_v3_small stfpm rtdetr --sightline target/release/sightline

Every network has the weights it was made with: they do not matter to the time. Both sides compute with one thread
on the same core, in turns, and take a picture that is prepared already; ours includes the reading of the answer.
On a machine that has other work, look at the ratio of processor times: a long picture is interrupted more
often than a short one.

`--bundle` times a bundle that is there already (one that `model fit` made, say) against the network named.
"""

import argparse
import json
import os
import resource
import subprocess
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image
from torch import nn


@dataclass
class Peer:
    net: nn.Module
    size: tuple  # rows, columns
    outputs: list = field(default_factory=lambda: ["logits"])
    flags: list = field(default_factory=list)  # of `sightline model import`
    said: callable = lambda answer: answer  # what of its answer is exported


def classifier(net, labels):
    names = ",".join(["ok"] + [f"c{i}" for i in range(1, labels)])
    return Peer(net, (224, 224), flags=["--labels", names, "--normalise", "imagenet"])


def mobilenet_v3_small():
    import torchvision

    return classifier(torchvision.models.mobilenet_v3_small(num_classes=4), 4)


def tf_efficientnet_lite0():
    import timm

    return classifier(timm.create_model("tf_efficientnet_lite0", pretrained=False), 1000)


def lraspp():
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large

    net = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=3)
    flags = ["--labels", "ok,a,b", "--normalise", "imagenet"]
    return Peer(net, (128, 256), ["out"], flags, lambda answer: answer["out"])


def anomalib_peer(net, side=256):
    """A network of anomalib's without its pre- and postprocessing."""
    flags = ["--normalise", "imagenet", "--range", "0,100"]
    said = lambda answer: (answer.anomaly_map, answer.pred_score)  # noqa: E731
    return Peer(net, (side, side), ["anomaly_map", "pred_score"], flags, said)


def offline():
    """No weights from a hub: anomalib asks for them where it can't be told not to."""
    import timm

    made = timm.create_model
    timm.create_model = lambda *given, **named: made(*given, **(named | {"pretrained": False}))


LITE0 = {"backbone": "tf_efficientnet_lite0", "layers": ["blocks.2", "blocks.4"]}


def shown_noise(net, close):
    """Makes its memory of eight pictures of noise."""
    net.train()
    with torch.no_grad():
        net(torch.rand(8, 3, 256, 256))
        close()
    return anomalib_peer(net)


def padim():
    from anomalib.models.image.padim.torch_model import PadimModel

    net = PadimModel(**LITE0, pre_trained=False, n_features=100)
    return shown_noise(net, net.fit)


def patchcore(kept=1000):
    from anomalib.models.image.patchcore.torch_model import PatchcoreModel

    net = PatchcoreModel(**LITE0, pre_trained=False)
    return shown_noise(net, lambda: net.subsample_embedding(kept / (8 * 32 * 32)))


def stfpm():
    from anomalib.models.image.stfpm.torch_model import STFPMModel

    return anomalib_peer(STFPMModel(layers=["layer1", "layer2", "layer3"], backbone="resnet18"))


def efficient_ad():
    from anomalib.models.image.efficient_ad.torch_model import EfficientAdModel

    return anomalib_peer(EfficientAdModel())


def dinomaly():
    from anomalib.models.image.dinomaly.torch_model import DinomalyModel

    return anomalib_peer(DinomalyModel(encoder_name="vit_small_patch14_reg4_dinov2"), 392)


def rtdetr():
    from transformers import RTDetrConfig, RTDetrForObjectDetection

    config = RTDetrConfig(num_labels=6, num_denoising=0, anchor_image_size=None)
    config.backbone_config.depths = [2, 2, 2, 2]  # ResNet-18
    config.backbone_config.layer_type = "basic"
    config.backbone_config.hidden_sizes = [64, 128, 256, 512]
    config.encoder_in_channels, config.decoder_layers = [128, 256, 512], 3
    flags = ["--labels", "a,b,c,d,e,f", "--normalise", "0..1"]
    said = lambda answer: (answer.logits, answer.pred_boxes)  # noqa: E731
    net = RTDetrForObjectDetection(config)
    return Peer(net, (320, 320), ["logits", "pred_boxes"], flags, said)


PEERS = [mobilenet_v3_small, tf_efficientnet_lite0, lraspp, padim, patchcore]
PEERS = {peer.__name__: peer for peer in [*PEERS, stfpm, efficient_ad, dinomaly, rtdetr]}


class Exported(nn.Module):
    def __init__(self, peer):
        super().__init__()
        self.net, self.said = peer.net, peer.said

    def forward(self, picture):
        return self.said(self.net(picture))


def bundle_of(name, peer, sightline, out):
    """The peer's network exported and imported, with a golden picture of noise."""
    folder = out / name
    if (folder / "bundle").exists():
        return folder / "bundle"
    folder.mkdir(parents=True, exist_ok=True)
    rows, columns = peer.size
    noise = np.random.default_rng(7).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "noise.png")
    torch.onnx.export(
        Exported(peer).eval(),
        (torch.rand(1, 3, rows, columns),),
        str(folder / "model.onnx"),
        input_names=["image"],
        output_names=peer.outputs,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    say = [sightline, "model", "import", folder / "model.onnx", "--out", folder / "bundle"]
    say += ["--golden", folder / "noise.png", "--licence", "none", "--good", "ok", *peer.flags]
    done = subprocess.run(say, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr.strip().splitlines()[-1]}")
    return folder / "bundle"


def framework_ms(forward, runs):
    """Median, 99th percentile, and processor time of a picture."""
    for _ in range(10):
        forward()
    took, worked = [], time.process_time()
    for _ in range(runs):
        began = time.perf_counter()
        forward()
        took.append(1000 * (time.perf_counter() - began))
    return [*np.percentile(took, [50, 99]), 1000 * (time.process_time() - worked) / runs]


def bench(bundle, sightline, runs):
    """What `sightline model bench` measured, and the processor seconds that it took."""
    say = [sightline, "model", "bench", bundle, "--threads", "1", "--providers", "cpu"]
    say += ["--runs", str(runs), "--json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = json.loads(subprocess.run(say, check=True, capture_output=True, text=True).stdout)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return said["rows"][0]["measured"], worked


def ours_ms(bundle, sightline, runs):
    """Median, 99th percentile, processor time of a picture, and the bare ONNX Runtime's median. Every
    run of `bench` is one of ours and a bare one; what is not a run is in the short one too."""
    few = max(1, runs // 10)
    _, start = bench(bundle, sightline, few)
    said, worked = bench(bundle, sightline, runs)
    ours, bare = said["p50_ms"], said["bare_p50_ms"]
    cpu = 1000 * (worked - start) / (runs - few) * ours / (ours + bare)
    return [ours, said["p99_ms"], cpu, bare]


def figures_of(name, forward, bundle, sightline, runs, rounds):
    """In turns; of each figure the middle one of all rounds."""
    turns = [
        [*framework_ms(forward, runs), *ours_ms(bundle, sightline, runs)] for _ in range(rounds)
    ]
    framework, ours = ["p50", "p99", "cpu"], ["p50", "p99", "cpu", "bare_p50"]
    middle = [round(median(column), 2) for column in zip(*turns)]
    return {
        "network": name,
        "bundle": Path(bundle).name,
        "framework_ms": dict(zip(framework, middle)),
        "ours_ms": dict(zip(ours, middle[3:])),
        "ours_of_framework": round(median(turn[3] / turn[0] for turn in turns), 3),
        "ours_of_framework_cpu": round(median(turn[5] / turn[2] for turn in turns), 3),
        "ours_of_bare": round(median(turn[3] / turn[6] for turn in turns), 3),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="+", choices=PEERS, metavar="NETWORK", help=f"{[*PEERS]}")
    parser.add_argument("--sightline", default="sightline", help="the program to time")
    parser.add_argument("--bundle", type=Path, help="time this one, not the network exported")
    parser.add_argument("--out", type=Path, default=Path("out/latency"))
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    os.sched_setaffinity(0, {arguments.core})
    torch.set_num_threads(1)
    torch.manual_seed(7)
    offline()
    for name in arguments.networks:
        peer = PEERS[name]()
        net = peer.net.eval()
        out = arguments.out
        bundle = arguments.bundle or bundle_of(name, peer, arguments.sightline, out)
        picture = torch.rand(1, 3, *peer.size)
        with torch.inference_mode():
            forward = lambda: net(picture)  # noqa: B023, E731
            given = bundle, arguments.sightline, arguments.runs, arguments.rounds
            print(json.dumps(figures_of(name, forward, *given)), flush=True)


if __name__ == "__main__":
    main()
