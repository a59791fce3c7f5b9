"""Two real detectors, converted to each precision, find the people that the originals find.

They are not part of the project: PeopleNet and its picture lie in ../shared beside the clone, the default model and its
picture are fetched by `make deps`. Where they are absent the tests say so and skip.
"""

import json
import shutil
import unittest

import numpy as np
from support import ROOT, SHARED, ConversionTest, has, needs

PEOPLENET = SHARED / "models" / "peoplenet"
CAPTURE = SHARED / "images" / "capture.jpg"
SSDLITE = ROOT / ".deps" / "models" / "pedestrian_ssdlite" / "frozen_inference_graph.pb"
BUS = ROOT / ".deps" / "images" / "bus.jpg"


def runner_of(test, precision, target):
    """The converted model, computed as the server would."""
    if target == "onnx":
        import onnx_engine

        return onnx_engine.Runner(str(test.output / "model.onnx"), 2)
    import engine
    from precision import HINTS

    core = engine.core()
    return engine.Runner(core, core.read_model(str(test.output / "model.xml")), HINTS[precision], 2)


@unittest.skipUnless(PEOPLENET.is_dir() and CAPTURE.is_file(), "PeopleNet is not there: ../shared/models/peoplenet")
class PeopleNet(ConversionTest):
    def calibration(self):
        """Pictures to learn from: the street of `make deps`, or the picture itself where that is absent."""
        folder = self.folder / "calibration"
        folder.mkdir(exist_ok=True)
        shutil.copy(BUS if BUS.is_file() else CAPTURE, folder)
        return {"path": str(folder), "augment": True}

    def assert_people_are_found(self, runner):
        import pictures
        from detections import DetectNetHead, overlap

        picture = pictures.load(str(CAPTURE))
        plan = pictures.Plan(960, 544, "nchw", np.dtype(np.float32), (1 / 255,) * 3, (0.0,) * 3, "rgb", "letterbox")
        width, height = pictures.letterboxed_size(*picture.size, 960, 544)
        left, top, scale = (960 - width) // 2, (544 - height) // 2, picture.width / width
        head = DetectNetHead("output_cov/Sigmoid", "output_bbox/BiasAdd", 960, 544)
        found = []
        for detection in head.detections(runner.run({"input_1": plan.item(picture)}), 0):
            if detection.label == 0 and detection.score > 0.6:
                x1, y1, x2, y2 = detection.box
                found.append([(x1 - left) * scale, (y1 - top) * scale, (x2 - left) * scale, (y2 - top) * scale])
        expected = json.loads((PEOPLENET / "expected_capture.json").read_text())
        people = [entry["box"] for entry in expected if entry["label"] == "person" and entry["score"] > 0.6]
        self.assertEqual(len(people), 8)
        for box in people:
            self.assertTrue(any(overlap(box, other) > 0.8 for other in found), f"nobody at {box}, only {found}")
        self.assertEqual(len(found), len(people))

    def convert_and_look(self, precision, target="openvino"):
        result = self.convert(
            PEOPLENET / "peoplenet_fp32.onnx",
            precision=precision,
            target=target,
            input_dims={"": [3, 544, 960]},
            outputs=["output_cov/Sigmoid", "output_bbox/BiasAdd"],
            max_batch=16,
            calibration=self.calibration() if precision == "int8" else None,
        )
        self.assertEqual(
            result["outputs"],
            [
                {"name": "output_cov/Sigmoid", "type": "FP32", "dims": [3, 34, 60]},
                {"name": "output_bbox/BiasAdd", "type": "FP32", "dims": [12, 34, 60]},
            ],
        )
        self.assert_people_are_found(runner_of(self, precision, target))

    def test_fp16(self):
        self.convert_and_look("fp16")

    def test_bf16(self):
        self.convert_and_look("bf16")

    @needs("nncf")
    def test_int8(self):
        self.convert_and_look("int8")

    @needs("onnxruntime")
    def test_onnx_fp16(self):
        self.convert_and_look("fp16", "onnx")

    @unittest.skipUnless(has("onnxruntime") and has("nncf"), "the environment lacks onnxruntime or nncf")
    def test_onnx_int8(self):
        self.convert_and_look("int8", "onnx")


@unittest.skipUnless(SSDLITE.is_file() and BUS.is_file(), "the default model is not there: make deps")
class DefaultModel(ConversionTest):
    @needs("nncf")
    def test_each_precision_finds_the_same(self):
        import pictures
        from detections import Agreement, SSDHead

        item = {"image_tensor": np.asarray(pictures.load(str(BUS)).resize((300, 300)))[np.newaxis]}
        head = SSDHead("detection_boxes", "detection_scores", "detection_classes")
        original = None
        for precision in ("fp32", "fp16", "bf16", "int8"):
            self.convert(
                SSDLITE,
                format="tensorflow",
                precision=precision,
                input_dims={"": [300, 300, 3]},
                max_batch=8,
                calibration={"path": str(BUS), "augment": True} if precision == "int8" else None,
            )
            found = head.detections(runner_of(self, precision, "openvino").run(item), 0)
            original = original or found
            agreement = Agreement()
            agreement.add(original, found)
            self.assertGreater(agreement.counted, 0)
            self.assertEqual(agreement.share, 1, precision)


if __name__ == "__main__":
    unittest.main()
