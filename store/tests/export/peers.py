"""Reads exports with the field's own readers and tells what they see, as JSON.

Takes the folder that holds the exports, each named for its format. A reader that is not installed is
named and left out.
"""

import json
import sys
from pathlib import Path

seen, missing, folder = {}, [], Path(sys.argv[1])
SPLITS = ("train", "val", "test")


def by_picture(dataset):
    """What a dataset of supervision holds: for each picture its classes and boxes."""
    found = {}
    for path, _, detections in dataset:
        boxes = [[round(float(edge), 3) for edge in box] for box in detections.xyxy]
        classes = [dataset.classes[number] for number in detections.class_id]
        found[Path(path).stem] = sorted(zip(classes, boxes))
    return found


try:
    from pycocotools.coco import COCO

    seen["pycocotools"] = {}
    for split in SPLITS:
        coco = COCO(folder / "coco" / "annotations" / f"instances_{split}.json")
        for image in coco.loadImgs(coco.getImgIds()):
            stem = Path(image["file_name"]).stem
            marks = seen["pycocotools"].setdefault(stem, [])
            for annotation in coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]])):
                mask = coco.annToMask(annotation)
                rows, columns = mask.nonzero()
                marks.append(
                    {
                        "class": coco.loadCats([annotation["category_id"]])[0]["name"],
                        "box": annotation["bbox"],
                        "shape": annotation["attributes"]["shape"],
                        "pixels": [[int(x), int(y)] for x, y in zip(columns, rows)],
                        "size": [mask.shape[1], mask.shape[0]],
                    }
                )
except ImportError:
    missing.append("pycocotools")

try:
    import supervision

    sets = supervision.DetectionDataset
    for name in ("yolo", "yolo-segment"):
        seen[f"supervision {name}"] = {}
        for split in SPLITS:
            part = sets.from_yolo(
                str(folder / name / "images" / split),
                str(folder / name / "labels" / split),
                str(folder / name / "data.yaml"),
            )
            seen[f"supervision {name}"] |= by_picture(part)
    voc = folder / "voc"
    read = sets.from_pascal_voc(str(voc / "JPEGImages"), str(voc / "Annotations"))
    seen["supervision voc"] = by_picture(read)
except ImportError:
    missing.append("supervision")

try:
    from datumaro import Dataset

    for name, called in (("coco", "coco_instances"), ("yolo", "yolo"), ("voc", "voc")):
        found = {}
        for item in Dataset.import_from(str(folder / name), called):
            found[item.id.split("/")[-1]] = len(
                {(a.group, a.label) if a.group else a.id for a in item.annotations}
            )
        seen[f"datumaro {name}"] = found
except ImportError:
    missing.append("datumaro")

try:
    import yaml

    names = yaml.safe_load((folder / "yolo" / "data.yaml").read_text())["names"]
    seen["yaml"] = [names[number] for number in sorted(names)]
except ImportError:
    missing.append("yaml")

try:
    from anomalib.data.datasets.image.mvtecad import make_mvtec_ad_dataset

    table = make_mvtec_ad_dataset(folder / "image-folder")
    seen["anomalib"] = [
        [row.split, row.label, bool(row.mask_path)] for row in table.itertuples()
    ]
except ImportError:
    missing.append("anomalib")

try:
    sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "models" / "train"))
    import data as recipes

    seen["models/train"] = {}
    # Pictures are of this size: a pixel of a label map is one of the picture.
    for held in ("val", "test"):
        labels, samples = recipes.load_index(folder / "csv" / "index.csv", (32, 24), held)
        for sample in samples:
            numbers, counts = recipes.np.unique(sample.shown.labels, return_counts=True)
            names = ["?" if number == recipes.IGNORE else labels[number] for number in numbers]
            seen["models/train"][Path(sample.name).stem] = {
                "split": sample.split,
                "group": sample.group,
                "label": sample.label,
                "pixels": dict(zip(names, counts.tolist())),
            }
except ImportError:
    missing.append("models/train")

print("\nSEEN", json.dumps({"seen": seen, "missing": missing}))
