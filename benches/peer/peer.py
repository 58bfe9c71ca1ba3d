#!/usr/bin/env python3
"""What someone who knows OpenCV and ONNX Runtime would write: the peer of the line in line_4k120.

Takes a file of raw gray frames, shown in a circle at a camera's pace, a model bundle and a recipe.
Finds parts (OpenCV: shrink, threshold against the empty belt, contours, follow their middles), cuts
them out where they are in the middle, asks the model on a pool of threads, says pass or reject.
Frames that it is too late for are dropped, as the line's are. Gives one JSON object on stdout.

It writes nothing down, has no deadlines and nobody to tell: less to do than the line has.
Needs numpy, OpenCV and onnxruntime.
"""

import argparse
import json
import os
import queue
import resource
import sys
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

DRIVER_FRAMES = 4  # a camera's driver holds so many for a reader who is late
WAITING_FRAMES = 4  # between the thread that takes frames and the one that looks at them
SHRINK = 12  # looks at about as many pixels as the line does
LEARN_FRAMES = 24
CONTRAST = 24


class Model:
    """The bundle's network with what must be done before and after it."""

    def __init__(self, folder):
        manifest = tomllib.loads((folder / "model.toml").read_text())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.onnx = str(folder / manifest["file"]["onnx"])
        self.options = options
        self.input = manifest["input"]
        self.output = manifest["output"]
        self.mean = np.float32(self.input["mean"]).reshape(3, 1, 1)
        self.std = np.float32(self.input["std"]).reshape(3, 1, 1)
        self.good = self.output["labels"].index(self.output["good"])
        self.local = threading.local()

    def session(self):
        if not hasattr(self.local, "session"):
            self.local.session = onnxruntime.InferenceSession(
                self.onnx, self.options, providers=["CPUExecutionProvider"]
            )
        return self.local.session

    def tensor(self, crop):
        size = (self.input["width"], self.input["height"])
        small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
        picture = small.astype(np.float32) / 255.0
        return ((picture[None] - self.mean) / self.std)[None]

    def score(self, crop):
        """The highest score of any defect that is large enough."""
        feed = {self.input["name"]: self.tensor(crop)}
        logits = self.session().run([self.output["name"]], feed)[0][0]
        logits = np.exp(logits - logits.max(axis=0))
        shares = logits / logits.sum(axis=0)
        best = 0.0
        for channel, share in enumerate(shares):
            if channel == self.good:
                continue
            cells = (share >= self.output["pixel_threshold"]).astype(np.uint8)
            if cells.sum() < self.output["min_cells"]:
                continue
            _, groups, stats, _ = cv2.connectedComponentsWithStats(cells, connectivity=8)
            for group in range(1, len(stats)):
                if stats[group, cv2.CC_STAT_AREA] >= self.output["min_cells"]:
                    best = max(best, float(share[groups == group].max()))
        return best


class Finder:
    """Parts on the belt, each given once: where it is nearest the middle of the picture."""

    def __init__(self, recipe, width, height):
        locate = recipe["locate"]
        self.size = (width // SHRINK, height // SHRINK)
        self.area = (locate["min_area_px"] / SHRINK**2, locate["max_area_px"] / SHRINK**2)
        self.learnt = []
        self.belt = None
        self.tracks = []  # [x, y, step, given]

    def parts(self, frame):
        small = cv2.resize(frame, self.size, interpolation=cv2.INTER_LINEAR)
        if self.belt is None:
            self.learnt.append(small)
            if len(self.learnt) == LEARN_FRAMES:
                belt = np.median(np.stack(self.learnt), axis=0).astype(np.uint8)
                self.belt = cv2.add(belt, CONTRAST)
            return []
        mask = cv2.compare(small, self.belt, cv2.CMP_GT)
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        found = []
        for contour in contours:
            if cv2.contourArea(contour) >= self.area[0] * 0.9:
                x, y, w, h = cv2.boundingRect(contour)
                if x > 0 and x + w < self.size[0]:
                    found.append((x + w / 2, y + h / 2))
        return self.follow(found)

    def follow(self, found):
        given = []
        tracks = []
        middle = self.size[0] / 2
        for x, y in found:
            near = [t for t in self.tracks if 0 <= x - t[0] < 30 and abs(y - t[1]) < 10]
            before = min(near, key=lambda t: x - t[0]) if near else None
            step = x - before[0] if before else 0.0
            done = before[3] if before else False
            if not done and before and x + step / 2 >= middle:
                given.append((x * SHRINK, y * SHRINK))
                done = True
            tracks.append((x, y, step, done))
        self.tracks = tracks
        return given


class Peer:
    def __init__(self, args):
        width, height = (int(side) for side in args.size.split("x"))
        recipe = tomllib.loads(args.recipe.read_text())
        self.args = args
        self.frames = np.memmap(args.frames, np.uint8, "r").reshape(-1, height, width)
        self.frames.max()  # maps every page, as a camera's buffers are
        self.crop = recipe["view"]["crop_px"]
        self.reject_at = recipe["limits"]["reject_at"]
        self.model = Model(args.model)
        self.finder = Finder(recipe, width, height)
        self.workers = ThreadPoolExecutor(args.workers)
        self.results = []
        self.offered = self.dropped = self.seen = 0
        warm = [self.workers.submit(self.warm_up) for _ in range(args.workers)]
        [it.result() for it in warm]

    def warm_up(self):
        blank = np.zeros((self.crop["height"], self.crop["width"]), np.uint8)
        for _ in range(5):
            self.model.score(blank)
        time.sleep(0.1)  # so that each worker gets one

    def inspect(self, frame, x, y, exposed):
        height, width = frame.shape
        w, h = self.crop["width"], self.crop["height"]
        left = int(min(max(x - w / 2, 0), width - w))
        top = int(min(max(y - h / 2, 0), height - h))
        score = self.model.score(frame[top : top + h, left : left + w])
        told = time.monotonic()
        self.results.append((1e3 * (told - exposed), score >= self.reject_at))

    def look(self, frame, exposed):
        self.seen += 1
        for x, y in self.finder.parts(frame):
            self.workers.submit(self.inspect, frame, x, y, exposed)

    def look_at_all(self, waiting):
        while (item := waiting.get()) is not None:
            self.look(*item)

    def paced(self):
        """Frames come by the clock; who is late loses the oldest."""
        waiting = queue.Queue(WAITING_FRAMES)
        looker = threading.Thread(target=self.look_at_all, args=(waiting,))
        looker.start()
        start, period = time.monotonic() + 0.05, 1.0 / self.args.fps
        number = 0
        while number < self.args.total:
            now = time.monotonic()
            exposed = start + number * period
            if now < exposed:
                time.sleep(exposed - now)
                now = time.monotonic()
            while now >= exposed + DRIVER_FRAMES * period and number + 1 < self.args.total:
                number += 1
                self.dropped += 1
                exposed = start + number * period
            item = (self.frames[number % len(self.frames)], exposed)
            try:
                waiting.put_nowait(item)
            except queue.Full:
                try:
                    waiting.get_nowait()
                    self.dropped += 1
                except queue.Empty:
                    pass
                waiting.put(item)
            number += 1
        self.offered = number
        waiting.put(None)
        looker.join()

    def unpaced(self):
        """As fast as it goes."""
        for number in range(self.args.total):
            while self.workers._work_queue.qsize() > 8:
                time.sleep(0.0005)
            self.look(self.frames[number % len(self.frames)], time.monotonic())
        self.offered = self.args.total

    def run(self):
        spent = resource.getrusage(resource.RUSAGE_SELF)
        cpu, wall = spent.ru_utime + spent.ru_stime, time.monotonic()
        self.unpaced() if self.args.unpaced else self.paced()
        self.workers.shutdown()
        wall = time.monotonic() - wall
        spent = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "name": f"Python {sys.version.split()[0]}, OpenCV {cv2.__version__}, "
            f"ONNX Runtime {onnxruntime.__version__}",
            "frames_offered": self.offered,
            "frames_dropped": self.dropped,
            "fps": self.seen / wall,
            "parts": len(self.results),
            "rejected": sum(bad for _, bad in self.results),
            "decision_ms": [ms for ms, _ in self.results],
            "cpu_percent": 100 * (spent.ru_utime + spent.ru_stime - cpu) / wall,
            "rss_peak_mib": spent.ru_maxrss / 1024,
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=Path, required=True, help="raw gray frames")
    parser.add_argument("--size", required=True, help="WIDTHxHEIGHT of a frame")
    parser.add_argument("--fps", type=float, required=True)
    parser.add_argument("--total", type=int, required=True, help="frames to show")
    parser.add_argument("--model", type=Path, required=True, help="folder of the bundle")
    parser.add_argument("--recipe", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--unpaced", action="store_true", help="as fast as it goes")
    cv2.setNumThreads(1)
    print(json.dumps(Peer(parser.parse_args()).run()))


if __name__ == "__main__":
    main()
