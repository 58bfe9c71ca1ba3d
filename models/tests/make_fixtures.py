#!/usr/bin/env python3
"""Writes tests/data: two bundles and some graphs that must be refused, each under 2 KB.

Needs onnx, numpy and pillow. Expected scores come from ONNX's own reference evaluator, so that
the runtime is held against something other than itself. Running it again changes no byte.
"""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from PIL import Image

DATA = Path(__file__).parent / "data"


def graph(nodes, inputs, outputs, constants=()):
    """A model as bytes; inputs and outputs are (name, type, shape)."""
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(*port) for port in inputs],
        [helper.make_tensor_value_info(*port) for port in outputs],
        [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in constants],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def segmenter():
    """Red cells are scratches, blue cells are stains; a cell is 8 x 8 pixels."""
    # Rows: ok, scratch, stain. Columns: red, green, blue; inputs are -1..1.
    weights = np.array([[0, 0, 0], [10, -10, -10], [-10, -10, 10]]).reshape(3, 3, 1, 1)
    nodes = [
        helper.make_node("AveragePool", ["image"], ["p"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Conv", ["p", "w", "b"], ["heatmap"]),
    ]
    return graph(
        nodes,
        [("image", TensorProto.FLOAT, [1, 3, 32, 64])],
        [("heatmap", TensorProto.FLOAT, [1, 3, 4, 8])],
        [("w", weights), ("b", [0, -10, -10])],
    )


def classifier(shape=(1, 1, 16, 16), element=TensorProto.FLOAT):
    """Bright pictures are overexposed."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "w", "b"], ["scores"], transB=1),
    ]
    if element != TensorProto.FLOAT:
        nodes.insert(0, helper.make_node("Cast", ["bytes"], ["image"], to=TensorProto.FLOAT))
    name = "image" if element == TensorProto.FLOAT else "bytes"
    return graph(
        nodes,
        [(name, element, shape)],
        [("scores", TensorProto.FLOAT, [shape[0], 2])],
        [("w", [[-4], [4]]), ("b", [2, -2])],
    )


def divides():
    """Gives x / x of the mean brightness: 1 of any picture, NaN of a black one."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Div", ["f", "f"], ["d"]),
        helper.make_node("Concat", ["d", "d"], ["scores"], axis=1),
    ]
    return graph(
        nodes,
        [("image", TensorProto.FLOAT, [1, 1, 16, 16])],
        [("scores", TensorProto.FLOAT, [1, 2])],
    )


def of_numbers():
    """Takes a number instead of a picture; as far as its shape goes, it agrees."""
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["m"], axes=[1], keepdims=1),
        helper.make_node("Concat", ["m", "m"], ["scores"], axis=1),
    ]
    return graph(
        nodes,
        [("image", TensorProto.FLOAT, [1, 1])],
        [("scores", TensorProto.FLOAT, [1, 2])],
    )


def two_inputs():
    """Wants a picture to compare with."""
    nodes = [
        helper.make_node("Sub", ["image", "reference"], ["s"]),
        helper.make_node("GlobalAveragePool", ["s"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Concat", ["f", "f"], ["scores"], axis=1),
    ]
    shape = [1, 1, 16, 16]
    return graph(
        nodes,
        [("image", TensorProto.FLOAT, shape), ("reference", TensorProto.FLOAT, shape)],
        [("scores", TensorProto.FLOAT, [1, 2])],
    )


def red_and_blue():
    """64 x 32: a red block over two cells, a blue one over two, a single red cell."""
    picture = np.full((32, 64, 3), 40, np.uint8)
    picture[0:8, 8:24] = (250, 10, 10)
    picture[16:32, 48:56] = (10, 10, 250)
    picture[24:32, 0:8] = (250, 10, 10)
    return picture


def softmax(values):
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def expected(onnx_bytes, picture, mean, std):
    """Highest probability of each label, of a picture of the input's own size."""
    planes = picture[None, None] if picture.ndim == 2 else picture.transpose(2, 0, 1)[None]
    image = (planes.astype(np.float32) / 255 - mean) / std
    (out,) = ReferenceEvaluator(onnx_bytes).run(None, {"image": image.astype(np.float32)})
    scores = softmax(out).reshape(out.shape[1], -1).max(axis=1)
    return [round(float(score), 6) for score in scores]


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def bundle(name, onnx_bytes, pictures, manifest, mean, std):
    folder = DATA / name
    (folder / "golden").mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(onnx_bytes)
    text = manifest.format(sha256=sha256(folder / "model.onnx"))
    for number, picture in enumerate(pictures, 1):
        path = folder / "golden" / f"{number:02}.png"
        Image.fromarray(picture).save(path)
        text += (
            f'\n[[golden]]\nimage = "golden/{path.name}"\nsha256 = "{sha256(path)}"\n'
            f"expected = {expected(onnx_bytes, picture, mean, std)}\ntolerance = 0.001\n"
        )
    (folder / "model.toml").write_text(text)


SEGMENTER = """schema = 1
name = "red and blue"
kind = "segmenter"
licence = "MIT OR Apache-2.0"
description = "red cells are scratches, blue cells are stains"

[file]
onnx = "model.onnx"
sha256 = "{sha256}"

[input]
name = "image"
width = 64
height = 32
colour = "rgb"
resize = "letterbox"
pad = 0.5
mean = [0.5, 0.5, 0.5]
std = [0.5, 0.5, 0.5]

[output]
name = "heatmap"
activation = "softmax"
labels = ["ok", "scratch", "stain"]
good = "ok"
pixel_threshold = 0.5
min_cells = 2

[provenance]
recipe = "written by hand in tests/make_fixtures.py"
"""

CLASSIFIER = """schema = 1
name = "bright"
kind = "classifier"
licence = "MIT OR Apache-2.0"
description = "bright pictures are overexposed"

[file]
onnx = "model.onnx"
sha256 = "{sha256}"

[input]
name = "image"
width = 16
height = 16
colour = "gray"
resize = "stretch"
pad = 0.0
mean = [0.0]
std = [1.0]

[output]
name = "scores"
activation = "softmax"
labels = ["ok", "overexposed"]
good = "ok"

[provenance]
recipe = "written by hand in tests/make_fixtures.py"
"""


def main():
    flat = [np.full((16, 16), level, np.uint8) for level in (20, 230)]
    grey = np.full((32, 64, 3), 40, np.uint8)
    bundle("segmenter", segmenter(), [red_and_blue(), grey], SEGMENTER, 0.5, 0.5)
    bundle("classifier", classifier(), flat, CLASSIFIER, 0.0, 1.0)
    graphs = DATA / "graphs"
    graphs.mkdir(exist_ok=True)
    (graphs / "divides.onnx").write_bytes(divides())
    (graphs / "open_sides.onnx").write_bytes(classifier(shape=("n", 1, "h", "w")))
    (graphs / "of_bytes.onnx").write_bytes(classifier(element=TensorProto.UINT8))
    (graphs / "of_numbers.onnx").write_bytes(of_numbers())
    (graphs / "two_inputs.onnx").write_bytes(two_inputs())
    for path in sorted(DATA.rglob("*.*")):
        size = path.stat().st_size
        assert size <= 2048, f"{path} has {size} bytes"


if __name__ == "__main__":
    main()
