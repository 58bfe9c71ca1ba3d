"""Writes `models/backbone/features.onnx`: the frozen feature extractor that `model fit` builds on.

    python models/train/backbone.py

EfficientNet-Lite0 with its published weights, cut after the fifth stage, batch norms folded into
the convolutions. Takes `image` [1, 3, H, W], normalised as `net.py` says, both sides open
(multiples of 16); gives `stride4`, `stride8` and `stride16` (24, 40 and 112 channels).
"""

import io
import warnings
from pathlib import Path

import onnx
import torch

from net import Backbone

OUT = Path(__file__).parents[1] / "backbone" / "features.onnx"
OUTPUTS = ["stride4", "stride8", "stride16"]


def pads_into_convolutions(graph):
    """What TensorFlow's SAME pads becomes the convolution's own `pads`: one pass less."""
    pads = {n.output[0]: n for n in graph.node if n.op_type == "Pad"}
    for node in graph.node:
        pad = pads.get(node.input[0]) if node.op_type == "Conv" else None
        if pad is None:
            continue
        settings = {a.name: a.ints for a in node.attribute}
        totals = [k - s for k, s in zip(settings["kernel_shape"], settings["strides"])]
        before = [total // 2 for total in totals]
        assert not any(settings["pads"])
        settings["pads"][:] = before + [t - b for t, b in zip(totals, before)]
        node.input[0] = pad.input[0]
    for pad in pads.values():
        graph.node.remove(pad)


def drop_unused(graph):
    """Constants that nothing takes any more, and the shapes of values between."""
    while True:
        used = {name for node in graph.node for name in node.input} | set(OUTPUTS)
        unused = [node for node in graph.node if not used & set(node.output)]
        if not unused:
            break
        for node in unused:
            graph.node.remove(node)
    kept = [c for c in graph.initializer if c.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    del graph.value_info[:]


def main():
    backbone, file = Backbone(), io.BytesIO()
    backbone.load_imagenet()
    open_sides = {2: "height", 3: "width"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            backbone.eval(),
            (torch.zeros(1, 3, 192, 192),),
            file,
            dynamo=False,
            opset_version=17,
            input_names=["image"],
            output_names=OUTPUTS,
            dynamic_axes={name: open_sides for name in ["image", *OUTPUTS]},
        )
    model = onnx.load_from_string(file.getvalue())
    pads_into_convolutions(model.graph)
    drop_unused(model.graph)
    for output in model.graph.output:
        output.type.tensor_type.shape.dim[0].dim_value = 1
        for dim in output.type.tensor_type.shape.dim[2:]:
            dim.Clear()
    model.doc_string = "EfficientNet-Lite0, ImageNet weights, Apache-2.0; see README.md beside it"
    onnx.checker.check_model(model, full_check=True)
    OUT.write_bytes(model.SerializeToString())
    compare(backbone, OUT)


@torch.no_grad()
def compare(backbone, file):
    """The file must give what the network gave, at a size it was not exported at."""
    import numpy as np
    import onnxruntime

    image = torch.randn(1, 3, 128, 224, generator=torch.Generator().manual_seed(1))
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    got = session.run(OUTPUTS, {"image": image.numpy()})
    for name, got, wanted in zip(OUTPUTS, got, backbone(image)):
        off = float(np.abs(got - wanted.numpy()).max())
        print(f"{name}: {list(got.shape)}, at most {off:.1e} off")
        assert off < 1e-3


if __name__ == "__main__":
    main()
