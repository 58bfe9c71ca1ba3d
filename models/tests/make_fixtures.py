#!/usr/bin/env python3
"""Writes tests/data: a bundle for each kind of model and graphs that do something odd, each under
2 KB.

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

from manifests import CLASSIFIER, DETR, MAP, MAP_SCORED, SEGMENTER, YOLO, with_output

DATA = Path(__file__).parent / "data"


def constant(value):
    """Floats; but lists of whole numbers that come as an array are shapes and places."""
    whole = isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype == np.int64
    return value if whole else np.asarray(value, np.float32)


def graph(nodes, inputs, outputs, constants=()):
    """A model as bytes; inputs and outputs are (name, type, shape)."""
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(*port) for port in inputs],
        [helper.make_tensor_value_info(*port) for port in outputs],
        [numpy_helper.from_array(constant(value), name) for name, value in constants],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def segmenter(shape=(1, 3, 32, 64), grid=(4, 8), wide=False):
    """Red cells are scratches, blue cells are stains; a cell is 8 x 8 pixels. `wide`: gives twice
    the columns that it declares, which only shows when it runs."""
    # Rows: ok, scratch, stain. Columns: red, green, blue; inputs are -1..1.
    weights = np.array([[0, 0, 0], [10, -10, -10], [-10, -10, 10]]).reshape(3, 3, 1, 1)
    nodes = [
        helper.make_node("AveragePool", ["image"], ["p"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Conv", ["p", "w", "b"], ["c" if wide else "heatmap"]),
    ]
    constants = [("w", weights), ("b", [0, -10, -10])]
    if wide:
        nodes += [
            helper.make_node("ReduceMax", ["image"], ["m"], axes=[0, 1, 2, 3], keepdims=0),
            helper.make_node("Mul", ["m", "none"], ["z"]),
            helper.make_node("Add", ["z", "twice"], ["t"]),
            helper.make_node("Cast", ["t"], ["times"], to=TensorProto.INT64),
            helper.make_node("Tile", ["c", "times"], ["heatmap"]),
        ]
        constants += [("none", [0.0] * 4), ("twice", [1.0, 1.0, 1.0, 2.0])]
    return graph(
        nodes,
        [("image", TensorProto.FLOAT, shape)],
        [("heatmap", TensorProto.FLOAT, [shape[0], 3, *grid])],
        constants,
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


RED, BLUE = [2, -2, -2], [-2, -2, 2]
IMAGE = ("image", TensorProto.FLOAT, [1, 3, 32, 64])


def cells(weights, bias):
    """Nodes that say of each of 32 cells of 8 x 8 pixels how red, blue, … it is: `[n, kinds, 32]`
    in "cells"."""
    kinds = len(weights)
    nodes = [
        helper.make_node("AveragePool", ["image"], ["p"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Conv", ["p", "w", "b"], ["c"]),
        helper.make_node("Reshape", ["c", "flat"], ["cells"]),
    ]
    constants = [
        ("w", np.array(weights, np.float32).reshape(kinds, 3, 1, 1)),
        ("b", bias),
        ("flat", np.array([0, kinds, 32])),
    ]
    return nodes, constants


def around_cells():
    """Middle x, middle y, width, height of boxes twice as large as the cells they are around."""
    y, x = np.mgrid[0:4, 0:8].reshape(2, 32) * 8 + 4
    return np.stack([x, y, np.full(32, 16), np.full(32, 16)]).astype(np.float32)


def yolo_v8(batch=1):
    nodes, constants = cells([RED, BLUE], [-3, -3])
    nodes += [
        helper.make_node("Sigmoid", ["cells"], ["s"]),
        # The boxes, once for each picture.
        helper.make_node("ReduceMean", ["s"], ["m"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["m", "none"], ["z"]),
        helper.make_node("Add", ["z", "around"], ["boxes"]),
        helper.make_node("Concat", ["boxes", "s"], ["output0"], axis=1),
    ]
    constants += [("around", around_cells()[None]), ("none", [[[0.0]]])]
    image = ("image", TensorProto.FLOAT, [batch, 3, 32, 64])
    return graph(nodes, [image], [("output0", TensorProto.FLOAT, [batch, 6, 32])], constants)


def yolo_v5():
    nodes, constants = cells([[0, -2, 0], RED, BLUE], [1, -3, -3])
    nodes += [
        helper.make_node("Sigmoid", ["cells"], ["s"]),
        helper.make_node("Transpose", ["s"], ["rows"], perm=[0, 2, 1]),
        helper.make_node("Concat", ["boxes", "rows"], ["output0"], axis=2),
    ]
    constants.append(("boxes", around_cells().T[None]))
    return graph(nodes, [IMAGE], [("output0", TensorProto.FLOAT, [1, 32, 7])], constants)


def end_to_end():
    """The eight best boxes; those below 0.25 are filled up with scores of 0 and no label."""
    nodes, constants = cells([RED, BLUE], [-3, -3])
    nodes += [
        helper.make_node("Sigmoid", ["cells"], ["s"]),
        helper.make_node("ReduceMax", ["s"], ["best"], axes=[1], keepdims=0),
        helper.make_node("ArgMax", ["s"], ["which"], axis=1, keepdims=0),
        helper.make_node("Cast", ["which"], ["labels"], to=TensorProto.FLOAT),
        helper.make_node("TopK", ["best", "eight"], ["top", "at"]),
        helper.make_node("GatherElements", ["labels", "at"], ["label"], axis=1),
        helper.make_node("Gather", ["boxes", "at"], ["box"], axis=0),
        helper.make_node("Greater", ["top", "least"], ["kept"]),
        helper.make_node("Where", ["kept", "top", "zero"], ["score"]),
        helper.make_node("Where", ["kept", "label", "no"], ["labelled"]),
        helper.make_node("Unsqueeze", ["score", "last"], ["scores"]),
        helper.make_node("Unsqueeze", ["labelled", "last"], ["numbers"]),
        helper.make_node("Concat", ["box", "scores", "numbers"], ["output0"], axis=2),
    ]
    x, y, width, height = around_cells()
    corners = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2]).T
    constants += [("boxes", corners), ("eight", np.array([8])), ("last", np.array([2]))]
    constants += [("least", 0.25), ("zero", 0.0), ("no", -1.0)]
    return graph(nodes, [IMAGE], [("output0", TensorProto.FLOAT, [1, 8, 6])], constants)


def detr(nothing):
    """Logits of both labels, and of nothing where the channels compete."""
    kinds = [RED, BLUE, [0, 0, 0]] if nothing else [RED, BLUE]
    nodes, constants = cells(kinds, [-3, -3, 0][: len(kinds)])
    nodes += [
        helper.make_node("Transpose", ["cells"], ["logits"], perm=[0, 2, 1]),
        helper.make_node("Identity", ["around"], ["pred_boxes"]),
    ]
    constants.append(("around", (around_cells().T / [64, 32, 64, 32])[None]))
    outputs = [
        ("logits", TensorProto.FLOAT, [1, 32, len(kinds)]),
        ("pred_boxes", TensorProto.FLOAT, [1, 32, 4]),
    ]
    return graph(nodes, [IMAGE], outputs, constants)


def anomaly_map(scored, shape=(1, 3, 32, 64), grid=(4, 8)):
    """Red and blue cells are unlike others. Scored ones have the outputs of an anomalib export."""
    nodes = [
        helper.make_node("AveragePool", ["image"], ["p"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Conv", ["p", "w", "b"], ["anomaly_map" if scored else "m"]),
    ]
    constants = [("w", np.array([10, -10, 10]).reshape(1, 3, 1, 1)), ("b", [0])]
    image = ("image", TensorProto.FLOAT, shape)
    if not scored:
        nodes.append(helper.make_node("Squeeze", ["m", "one"], ["map"]))
        constants.append(("one", np.array([1])))
        return graph(nodes, [image], [("map", TensorProto.FLOAT, [1, *grid])], constants)
    nodes += [
        helper.make_node("ReduceMax", ["anomaly_map"], ["max"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Add", ["max", "more"], ["pred_score"]),
        helper.make_node("Greater", ["pred_score", "limit"], ["pred_label"]),
        helper.make_node("Greater", ["anomaly_map", "limit"], ["pred_mask"]),
    ]
    outputs = [
        ("pred_score", TensorProto.FLOAT, [1]),
        ("pred_label", TensorProto.BOOL, [1]),
        ("anomaly_map", TensorProto.FLOAT, [1, 1, *grid]),
        ("pred_mask", TensorProto.BOOL, [1, 1, *grid]),
    ]
    constants += [("more", [2.5]), ("limit", 5.0)]
    return graph(nodes, [image], outputs, constants)


def red_and_blue():
    """64 x 32: a red block over two cells, a blue one over two, a single red cell."""
    picture = np.full((32, 64, 3), 40, np.uint8)
    picture[0:8, 8:24] = (250, 10, 10)
    picture[16:32, 48:56] = (10, 10, 250)
    picture[24:32, 0:8] = (250, 10, 10)
    return picture


def softmax(values, axis=1):
    powers = np.exp(values - values.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def from_channels(out):
    """Highest probability of each label, where every label has a channel."""
    return softmax(out).reshape(out.shape[1], -1).max(axis=1)


def from_defects(scores):
    """The good label first: what the worst of the others leaves."""
    return np.array([1 - max(scores), *scores])


def from_rows(out):
    best = lambda label: max((row[4] for row in out[0] if row[5] == label), default=0)
    return from_defects([best(0), best(1)])


def from_map(values):
    return from_defects([np.clip((values.max() + 10) / 25, 0, 1)])


# What the outputs of each bundle's graph say of each label.
READ = {
    "segmenter": from_channels,
    "classifier": from_channels,
    "detector-yolo-v5": lambda out: from_defects((out[0, :, 4:5] * out[0, :, 5:]).max(axis=0)),
    "detector-yolo-v8": lambda out: from_defects(out[0, 4:].max(axis=1)),
    "detector-end-to-end": from_rows,
    "detector-detr": lambda logits, _: from_defects(sigmoid(logits[0]).max(axis=0)),
    "detector-detr-softmax": lambda logits, _: from_defects(
        softmax(logits[0])[:, :2].max(axis=0)
    ),
    "anomaly-map": from_map,
    "anomaly-map-scored": lambda score, label, values, mask: from_map(score),
}


def expected(name, onnx_bytes, picture, mean, std, tiles):
    """Score of each label, of a picture of the canvas's own size."""
    planes = picture[None, None] if picture.ndim == 2 else picture.transpose(2, 0, 1)[None]
    image = ((planes.astype(np.float32) / 255 - mean) / std).astype(np.float32)
    columns, rows, overlap = tiles
    width, height = (
        (side + overlap * (count - 1)) // count
        for side, count in zip((image.shape[3], image.shape[2]), (columns, rows))
    )
    said = []
    for y in range(0, image.shape[2] - overlap, height - overlap):
        for x in range(0, image.shape[3] - overlap, width - overlap):
            tile = image[:, :, y : y + height, x : x + width]
            outputs = ReferenceEvaluator(onnx_bytes).run(None, {"image": tile})
            said.append(READ[name](*outputs))
    assert len(said) == columns * rows
    scores = np.max(said, axis=0)
    if name != "segmenter":
        scores[0] = np.min(said, axis=0)[0]
    return [round(float(score), 6) for score in scores]


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def bundle(name, onnx_bytes, pictures, manifest, mean=0.5, std=0.5, tiles=None):
    """`tiles`: columns, rows and overlap of a second bundle, which shows `pictures` in them."""
    folder = DATA / (f"{name}-tiled" if tiles else name)
    (folder / "golden").mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(onnx_bytes)
    text = manifest.format(sha256=sha256(folder / "model.onnx"))
    if tiles:
        tiling = "\n[input.tiling]\ncolumns = {}\nrows = {}\noverlap_px = {}\n\n[output]"
        text = text.replace("\n[output]", tiling.format(*tiles))
    for number, picture in enumerate(pictures, 1):
        path = folder / "golden" / f"{number:02}.png"
        Image.fromarray(picture).save(path)
        scores = expected(name, onnx_bytes, picture, mean, std, tiles or (1, 1, 0))
        text += (
            f'\n[[golden]]\nimage = "golden/{path.name}"\nsha256 = "{sha256(path)}"\n'
            f"expected = {scores}\ntolerance = 0.001\n"
        )
    (folder / "model.toml").write_text(text)


def main():
    flat = [np.full((16, 16), level, np.uint8) for level in (20, 230)]
    grey = np.full((32, 64, 3), 40, np.uint8)
    pictures = [red_and_blue(), grey]
    # Two by two tiles of 64 x 32 that share 16 pixels; the blocks lie in three of them.
    large = np.full((48, 112, 3), 40, np.uint8)
    large[0:32, 48:112] = red_and_blue()
    bundle("segmenter", segmenter(), pictures, SEGMENTER)
    bundle("segmenter", segmenter(), [large], SEGMENTER, tiles=(2, 2, 16))
    bundle("classifier", classifier(), flat, CLASSIFIER, 0.0, 1.0)
    halves = np.concatenate([flat[0], flat[1]], axis=1)
    bundle("classifier", classifier(), [halves], CLASSIFIER, 0.0, 1.0, tiles=(2, 1, 0))
    for layout, onnx_bytes, output in [
        ("yolo-v5", yolo_v5(), YOLO),
        ("yolo-v8", yolo_v8(), YOLO),
        ("end-to-end", end_to_end(), YOLO),
        ("detr", detr(nothing=False), DETR.replace("ACTIVATION", "sigmoid")),
        ("detr-softmax", detr(nothing=True), DETR.replace("ACTIVATION", "softmax")),
    ]:
        output = output.replace("LAYOUT", layout.replace("-softmax", "").replace("-", "_"))
        manifest = with_output("detector", output)
        bundle(f"detector-{layout}", onnx_bytes, pictures, manifest)
        if layout == "yolo-v8":
            bundle(f"detector-{layout}", onnx_bytes, [large], manifest, tiles=(2, 2, 16))
    bundle("anomaly-map", anomaly_map(scored=False), pictures, with_output("anomaly_map", MAP))
    scored = with_output("anomaly_map", MAP_SCORED)
    bundle("anomaly-map-scored", anomaly_map(scored=True), pictures, scored)
    bundle("anomaly-map-scored", anomaly_map(scored=True), [large], scored, tiles=(2, 2, 16))
    graphs = DATA / "graphs"
    graphs.mkdir(exist_ok=True)
    (graphs / "divides.onnx").write_bytes(divides())
    (graphs / "open_sides.onnx").write_bytes(classifier(shape=("n", 1, "h", "w")))
    (graphs / "segmenter_any_size.onnx").write_bytes(
        segmenter(("n", 3, "h", "w"), grid=("rows", "columns"))
    )
    (graphs / "segmenter_wide.onnx").write_bytes(segmenter(wide=True))
    (graphs / "map_any_size.onnx").write_bytes(
        anomaly_map(False, (1, 3, "h", "w"), ("rows", "columns"))
    )
    (graphs / "yolo_v8_any_batch.onnx").write_bytes(yolo_v8(batch="n"))
    (graphs / "of_bytes.onnx").write_bytes(classifier(element=TensorProto.UINT8))
    (graphs / "of_numbers.onnx").write_bytes(of_numbers())
    (graphs / "two_inputs.onnx").write_bytes(two_inputs())
    for path in sorted(DATA.rglob("*.*")):
        size = path.stat().st_size
        assert size <= 2048, f"{path} has {size} bytes"


if __name__ == "__main__":
    main()
