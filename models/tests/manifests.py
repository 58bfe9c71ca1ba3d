"""The manifests of the bundles that make_fixtures.py writes, but for their golden samples."""

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


def with_output(kind, output):
    """The segmenter's manifest with another kind and output."""
    head, rest = SEGMENTER.replace('"segmenter"', f'"{kind}"').split("[output]")
    return f"{head}{output}\n[provenance]{rest.split('[provenance]')[1]}"


YOLO = """[output]
name = "output0"
activation = "none"
labels = ["ok", "scratch", "stain"]
good = "ok"

[output.boxes]
layout = "LAYOUT"
min_score = 0.5
max_iou = 0.3
max_boxes = 10
"""

DETR = """[output]
name = "logits"
activation = "ACTIVATION"
labels = ["ok", "scratch", "stain"]
good = "ok"

[output.boxes]
layout = "LAYOUT"
name = "pred_boxes"
min_score = 0.5
max_iou = 0.3
max_boxes = 10
"""

MAP = """[output]
name = "map"
activation = "none"
labels = ["ok", "anomaly"]
good = "ok"
pixel_threshold = 0.5
min_cells = 2

[output.anomaly]
low = -10.0
high = 15.0
"""

MAP_SCORED = MAP.replace('"map"', '"anomaly_map"') + 'score = "pred_score"\n'
