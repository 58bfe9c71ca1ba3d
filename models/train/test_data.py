"""What an index.csv means, held against pictures made up here.

    python -m unittest discover -s models/train
"""

import csv
import tempfile
import unittest
from pathlib import Path

import numpy as np
from PIL import Image

import data

COLUMNS = ("file", "label", "split", "mask", "boxes", "group")
SIZE = (16, 8)


class Index(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        Image.new("L", SIZE, 80).save(self.folder / "a.png")

    def index(self, *rows):
        with open(self.folder / "index.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([COLUMNS, *rows])
        return self.folder / "index.csv"

    def mask(self, left, top, right, bottom):
        marked = np.zeros((SIZE[1], SIZE[0]), np.uint8)
        marked[top:bottom, left:right] = 255
        Image.fromarray(marked).save(self.folder / "m.png")
        return "m.png"

    def classes(self, label, mask="", boxes=""):
        """The label map of one bad picture, and its names with the unknown one."""
        index = self.index(("a.png", label, "train", mask, boxes, "p"))
        labels, [sample] = data.load_index(index, SIZE)
        names = dict(enumerate(labels)) | {data.IGNORE: "?"}
        return np.vectorize(names.get)(sample.shown.labels), sample

    def test_where_boxes_overlap_the_smaller_one_is_on_top(self):
        for boxes in ("0 0 16 8 whole;2 2 4 4 dent", "2 2 4 4 dent;0 0 16 8 whole"):
            for mask in ("", self.mask(0, 0, 16, 8)):
                classes, _ = self.classes("dent|whole", mask, boxes)
                self.assertEqual((classes == "dent").sum(), 4)
                self.assertTrue((classes[2:4, 2:4] == "dent").all())
                self.assertEqual((classes == "whole").sum(), 16 * 8 - 4)

    def test_boxes_say_which_part_of_a_mask_is_whose(self):
        mask = self.mask(0, 0, 16, 2)
        classes, _ = self.classes("crack|dent", mask, "0 0 4 8 crack;4 0 8 8 dent")
        self.assertEqual("".join(name[0] for name in classes[0]), "ccccdddd????????")
        self.assertTrue((classes[2:] == "ok").all())

    def test_a_class_without_a_place_may_be_anywhere_else(self):
        for mask in ("", self.mask(0, 0, 2, 2)):
            classes, sample = self.classes("crack|dent", mask, "0 0 2 2 dent")
            self.assertEqual(((classes == "dent").sum(), (classes == "ok").sum()), (4, 0))
            self.assertTrue(data.says_where(sample))

    def test_a_bad_picture_without_any_place_is_wholly_unknown(self):
        classes, sample = self.classes("crack")
        self.assertTrue((classes == "?").all())
        self.assertFalse(data.says_where(sample))

    def test_splits_of_an_export_are_kept_apart(self):
        rows = [{"split": "train", "file": f"{i}", "group": f"g{i}"} for i in range(40)]
        rows += [{"split": "test", "file": f"{i}", "group": f"t{i}"} for i in range(20)]
        dealt = data.held_from(rows, "val")
        self.assertEqual(dealt[40:], ["test"] * 20)
        self.assertIn(dealt.count("val"), range(3, 15))
        self.assertEqual(data.held_from(rows, "test"), [row["split"] for row in rows])
        unnamed = [{"file": f"{i}"} for i in range(40)]
        self.assertEqual(set(data.held_from(unnamed, "val")), {"train", "val"})

    def test_sixteen_bits_are_shown_as_the_station_shows_them(self):
        levels = np.array([[0, 257, 30_000, 65_535]], np.uint16)
        Image.fromarray(levels).save(self.folder / "deep.png")
        shown = np.asarray(data.picture_from(self.folder / "deep.png"))
        self.assertEqual(shown[0, :, 0].tolist(), [0, 1, 117, 255])
        self.assertEqual(shown.shape, (1, 4, 3))


if __name__ == "__main__":
    unittest.main()
