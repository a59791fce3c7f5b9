"""Detectors are compared by what they find."""

import unittest

import numpy as np
import support  # noqa: F401 - it says where the worker lies

from detections import Agreement, Detection, DetectNetHead, SSDHead, keep_best, overlap


class Overlap(unittest.TestCase):
    def test_overlap(self):
        self.assertEqual(overlap((0, 0, 2, 2), (0, 0, 2, 2)), 1)
        self.assertEqual(overlap((0, 0, 2, 2), (2, 0, 4, 2)), 0)
        self.assertAlmostEqual(overlap((0, 0, 2, 2), (1, 0, 3, 2)), 1 / 3)
        self.assertEqual(overlap((0, 0, 0, 0), (0, 0, 0, 0)), 0)

    def test_the_surest_of_a_class_stays(self):
        boxes = [
            Detection(0, 0.6, (0, 0, 10, 10)),
            Detection(0, 0.9, (1, 0, 11, 10)),
            Detection(1, 0.5, (0, 0, 10, 10)),
        ]
        self.assertEqual([(entry.label, entry.score) for entry in keep_best(boxes)], [(0, 0.9), (1, 0.5)])


class Heads(unittest.TestCase):
    def test_a_grid(self):
        coverage, boxes = np.zeros((2, 3, 34, 60), np.float32), np.zeros((2, 12, 34, 60), np.float32)
        coverage[1, 2, 5, 7] = 0.75
        boxes[1, 8:12, 5, 7] = [1, 2, 3, 4]
        head = DetectNetHead("c", "b", 960, 544)
        self.assertEqual(head.detections({"c": coverage, "b": boxes}, 0), [])
        (found,) = head.detections({"c": coverage, "b": boxes}, 1)
        self.assertEqual((found.label, found.score), (2, 0.75))
        self.assertEqual(tuple(map(float, found.box)), (112.5 - 35, 80.5 - 70, 112.5 + 105, 80.5 + 140))

    def test_a_list(self):
        outputs = {
            "detection_boxes": np.float32([[[0, 0, 1, 1], [0, 0, 0.5, 0.5]]]),
            "detection_scores": np.float32([[0.9, 0.1]]),
            "detection_classes": np.float32([[3, 1]]),
        }
        (found,) = SSDHead("detection_boxes", "detection_scores", "detection_classes").detections(outputs, 0)
        self.assertEqual((found.label, found.box), (3, (0, 0, 1, 1)))


class Agreements(unittest.TestCase):
    def share(self, original, result):
        agreement = Agreement()
        agreement.add(original, result)
        return agreement.share

    def test_shares(self):
        one, other = Detection(0, 0.9, (0, 0, 10, 10)), Detection(0, 0.8, (50, 0, 60, 10))
        self.assertEqual(self.share([one, other], [one, other]), 1)
        self.assertAlmostEqual(self.share([one, other], [one]), 2 / 3)
        self.assertEqual(self.share([one], [Detection(1, 0.9, one.box)]), 0)
        self.assertIsNone(self.share([], []))

    def test_a_box_cut_off_is_another_one(self):
        whole, cut = Detection(0, 0.9, (217, 382, 349, 871)), Detection(0, 0.9, (217, 382, 349, 700))
        self.assertEqual(self.share([whole], [cut]), 0)

    def test_a_score_at_the_edge_is_no_disagreement(self):
        box = (0, 0, 10, 10)
        self.assertEqual(self.share([Detection(0, 0.51, box)], [Detection(0, 0.47, box)]), 1)

    def test_a_detection_answers_for_one_only(self):
        one, twin = Detection(0, 0.9, (0, 0, 10, 10)), Detection(0, 0.8, (2, 0, 12, 10))
        self.assertAlmostEqual(self.share([one, twin], [one]), 2 / 3)


if __name__ == "__main__":
    unittest.main()
