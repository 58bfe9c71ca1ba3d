"""Labels of footage whose truth is known, held against a film and an index made up here.

    python -m unittest discover -s models/train
"""

import csv
import json
import tempfile
import unittest
from pathlib import Path

import numpy as np
from PIL import Image

import labels_of_truth as labels

CROP = {"x": 10, "y": 20, "width": 8, "height": 6}


def bits_of(place):
    """The pixels that COCO's run lengths mean: down the columns."""
    height, width = place["size"]
    runs = np.repeat(np.arange(len(place["counts"])) % 2 == 1, place["counts"])
    return runs.reshape(width, height).T


class Labels(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def coco(self, marks, is_keys=False, **view):
        box = {"x": 11, "y": 21, "width": 4, "height": 4}
        view = {"frame": 7, "box_in_frame": box, "crop_in_frame": CROP, **view}
        inspections = [{"part": 3, "views": [view]}, {"part": 4, "views": []}]
        coco, unknown = labels.coco_from(inspections, marks, 2, is_keys)
        self.assertEqual(unknown[-1], 4)
        return coco, unknown

    def film(self):
        """A part that has gone two to the right since its masks were drawn."""
        mask = {"area": {"x": 10, "y": 22, "width": 3, "height": 2}, "counts": [1, 5]}
        gone = {"area": {"x": 90, "y": 22, "width": 1, "height": 1}, "counts": [0, 1]}
        part = {
            "entry_frame": 0, "centre_frame": 5, "exit_frame": 10, "whole": True,
            "track": [[0, 0.0, 23.0], [10, 10.0, 23.0]],
            "x": 9, "y": 21, "width": 4, "height": 4,
            "defects": [{"kind": "dent", "mask": mask}, {"kind": "crack", "mask": gone}],
        }  # fmt: skip
        path = self.folder / "truth.json"
        path.write_text(json.dumps({"parts": [part]}), encoding="utf-8")
        return labels.from_film(path)

    def test_masks_follow_the_part_into_its_crop(self):
        coco, unknown = self.coco(self.film())
        self.assertEqual(unknown, [4])
        self.assertEqual(coco["images"][0]["file_name"], "r000002-p000003-v0.png")
        [annotation] = coco["annotations"]
        self.assertEqual(coco["categories"], [{"id": 1, "name": "dent"}])
        wanted = np.zeros((6, 8), bool)
        wanted[2:4, 2:5] = True
        wanted[2, 2] = False
        self.assertTrue((bits_of(annotation["segmentation"]) == wanted).all())

    def test_a_part_that_no_true_one_is_near_has_no_label(self):
        far = {"x": 60, "y": 21, "width": 4, "height": 4}
        coco, unknown = self.coco(self.film(), box_in_frame=far)
        self.assertEqual((coco["images"], unknown), ([], [3, 4]))

    def test_a_key_says_a_class_and_no_place(self):
        [annotation] = self.coco(self.film(), is_keys=True)[0]["annotations"]
        self.assertEqual(annotation["attributes"], {"shape": "whole"})
        self.assertNotIn("segmentation", annotation)

    def test_an_index_knows_pictures_by_their_names(self):
        Image.new("L", (30, 40)).save(self.folder / "a.png")
        with open(self.folder / "index.csv", "w", newline="", encoding="utf-8") as file:
            rows = [("file", "label", "boxes"), ("a.png", "crack|dent", "12 22 14 23 dent")]
            csv.writer(file).writerows(rows)
        marks = labels.from_index(self.folder / "index.csv")
        [annotation] = self.coco(marks, origin="day/a.png")[0]["annotations"]
        bits = bits_of(annotation["segmentation"])
        self.assertEqual((bits.sum(), bits[2, 2:4].all()), (2, True))
        self.assertEqual(self.coco(marks, origin="b.png")[1], [3, 4])


if __name__ == "__main__":
    unittest.main()
