"""INT8: smaller, judged by pictures that it did not see, and refused where it is worse than allowed."""

import unittest

import models
import numpy as np
import pictures_of_blocks
from support import ConversionTest, has, needs

import samples


@needs("nncf")
class Quantisation(ConversionTest):
    def setUp(self):
        super().setUp()
        self.model = models.detector(self.folder / "m.onnx")
        self.pictures = pictures_of_blocks.folder(self.folder / "pictures", 10)

    def quantise(self, model=None, calibration=None, **changes):
        given = {"path": str(self.pictures), "batch": 4, **(calibration or {})}
        return self.convert(model or self.model, precision="int8", calibration=given, **changes)

    def test_a_detector_finds_the_same(self):
        for target in ("openvino", *(["onnx"] if has("onnxruntime") else [])):
            result = self.quantise(target=target, verify=True)
            report = result["quantisation"]
            self.assertEqual((report["pictures"], report["held_back"]), (8, 2))
            self.assertGreaterEqual(report["agreement"], 0.95)
            self.assertAlmostEqual(report["drop"], 1 - report["agreement"])
            self.assertGreater(report["milliseconds_before"], 0)
            self.assertGreater(report["milliseconds_after"], 0)
            self.assertGreaterEqual(report["rounds"], 5)
            self.assertEqual(result["max_batch"], 16)
            self.assertEqual(
                [port["name"] for port in result["outputs"]], ["output_bbox/BiasAdd", "output_cov/Sigmoid"]
            )

    def test_weights_are_bytes(self):
        weights = np.random.default_rng(4).standard_normal((512, 512)).astype(np.float32)
        from onnx import helper

        nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Relu", ["m"], ["y"])]
        shape = [models.value("x", ["N", 512])], [models.value("y", ["N", 512])]
        model = models.save(self.folder / "w.onnx", nodes, *shape, [models.constant("w", weights)])
        arrays = self.folder / "arrays"
        arrays.mkdir()
        for seed in range(6):
            np.savez(arrays / f"{seed}.npz", x=np.random.default_rng(seed).random((1, 512), dtype=np.float32))
        report = self.quantise(model, {"path": str(arrays)})["quantisation"]
        self.assertLess(report["bytes_after"], 0.35 * report["bytes_before"])
        self.assertGreater(report["agreement"], 0.8)

    def test_worse_than_allowed_is_refused(self):
        # Calibrated on pictures without anything bright, the network's range ends far below what a block needs.
        from PIL import Image

        dark = self.folder / "dark"
        dark.mkdir()
        for seed in range(8):
            Image.fromarray(np.full((64, 96, 3), seed, np.uint8)).save(dark / f"{seed}.png")
        names = sorted(dark.iterdir())
        # One of those that are held back shows blocks, so that the comparison has something to find.
        held = samples_held_back([str(name) for name in names])[0]
        pictures_of_blocks.picture(1).save(held)
        error = self.refusal(self.model, precision="int8", max_drop=0.1, calibration={"path": str(dark), "batch": 4})
        self.assertIn("where at most 0.1 is allowed", error.message)
        self.assertEqual(list(self.output.iterdir()), [])

    def test_the_original_stays_within_any_limit(self):
        self.assertLessEqual(self.quantise(max_drop=0.05)["quantisation"]["drop"], 0.05)

    def test_with_preprocessing_in_the_model(self):
        result = self.quantise(embed_preprocessing={}, verify=True)
        self.assertEqual(result["inputs"][0]["type"], "UINT8")
        self.assertEqual(result["inputs"][0]["dims"], [-1, -1, 3])
        self.assertGreaterEqual(result["quantisation"]["agreement"], 0.95)

    def test_variations_are_only_learned_from(self):
        report = self.quantise(calibration={"augment": True})["quantisation"]
        self.assertEqual((report["pictures"], report["held_back"]), (40, 2))

    def test_a_quantised_model_stays_as_it_is(self):
        for target in ("openvino", *(["onnx"] if has("onnxruntime") else [])):
            self.quantise(target=target)
            source = self.folder / f"{target}-quantised"
            self.output.rename(source)
            model = source / ("model.xml" if target == "openvino" else "model.onnx")
            calibration = {"path": str(self.pictures)}
            format = "openvino" if target == "openvino" else "onnx"
            error = self.refusal(model, precision="int8", calibration=calibration, format=format)
            self.assertIn("quantised already", error.message)

    def test_one_picture(self):
        only = sorted(self.pictures.iterdir())[0]
        result = self.quantise(calibration={"path": str(only)})
        self.assertEqual(result["quantisation"]["held_back"], 0)
        self.assertTrue(any("only one calibration picture" in notice for notice in result["notices"]))


@needs("nncf")
class CalibrationData(ConversionTest):
    def setUp(self):
        super().setUp()
        self.model = models.detector(self.folder / "m.onnx")

    def refuse(self, path, words, model=None):
        error = self.refusal(model or self.model, precision="int8", calibration={"path": path and str(path)})
        self.assertIn(words, error.message)

    def test_none(self):
        self.refuse(None, "INT8 needs calibration data")
        self.refuse(self.folder / "absent", "there is no calibration data at")
        (self.folder / "empty").mkdir()
        self.refuse(self.folder / "empty", "holds no pictures")

    def test_a_list_of_pictures(self):
        pictures_of_blocks.folder(self.folder / "pictures", 6)
        listed = self.folder / "list.txt"
        listed.write_text("# blocks\n" + "".join(f"pictures/{seed:03}.png\n" for seed in range(5)))
        result = self.convert(self.model, precision="int8", calibration={"path": str(listed)})
        self.assertEqual(result["quantisation"]["pictures"] + result["quantisation"]["held_back"], 5)
        listed.write_text("pictures/absent.png\n")
        self.refuse(listed, "lists 'pictures/absent.png', which is no file")
        listed.write_text("\n")
        self.refuse(listed, "lists no pictures")

    def test_a_cache_of_another_engine(self):
        cache = self.folder / "cal.bin"
        cache.write_bytes(b"TRT-8510-EntropyCalibration2\ninput_1: 3c010a14\n")
        self.refuse(cache, "calibration cache of TensorRT")

    def test_damaged_pictures_are_left_out(self):
        folder = pictures_of_blocks.folder(self.folder / "pictures", 6)
        (folder / "000.png").write_bytes((folder / "000.png").read_bytes()[:60])
        (folder / "001.png").write_bytes(b"no picture")
        result = self.convert(self.model, precision="int8", calibration={"path": str(folder)})
        self.assertEqual(sum("it is left out" in notice for notice in result["notices"]), 2)
        for name in folder.iterdir():
            name.write_bytes(b"no picture")
        self.refuse(folder, "none of the calibration pictures can be read")

    def test_arrays_that_do_not_fit(self):
        arrays = self.folder / "arrays"
        arrays.mkdir()
        model = models.addition(self.folder / "a.onnx")
        np.savez(arrays / "0.npz", left=np.zeros((1, 4), np.float32))
        self.refuse(arrays, "has no array for input 'right'", model)
        np.savez(arrays / "0.npz", left=np.zeros((1, 4), np.float32), right=np.zeros((1, 5), np.float32))
        self.refuse(arrays, "input 'right' takes", model)
        np.savez(arrays / "0.npz", left=np.array([object()]), right=np.zeros((1, 5), np.float32))
        self.refuse(arrays, "can't be read", model)


def samples_held_back(paths):
    """Which of the files are held back: the choice depends on their names alone."""
    return samples.in_order(paths)[: samples.held_back(len(paths))]


if __name__ == "__main__":
    unittest.main()
