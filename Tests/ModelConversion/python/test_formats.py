"""Each format is read, under the names that its users know, and its numbers stay what they were."""

import unittest

import models
import numpy as np
import tensorflow_files
from support import ConversionTest, has, needs


class Formats(ConversionTest):
    def test_onnx(self):
        result = self.convert(models.convolution(self.folder / "m.onnx"), verify=True)
        self.assertEqual(
            result["inputs"], [{"name": "picture", "type": "FP32", "dims": [3, 16, 24], "format": "FORMAT_NCHW"}]
        )
        self.assertEqual([port["name"] for port in result["outputs"]], ["features", "mean"])
        self.assertEqual(result["max_batch"], 16)
        self.assertEqual(sorted(file.name for file in self.output.iterdir()), ["model.bin", "model.xml"])
        self.assertEqual(sorted(result["files"]), ["model.bin", "model.xml"])
        self.assertLess(max(entry["max_difference"] for entry in result["verify"]), 1e-5)

    def test_frozen_graph(self):
        result = self.convert(tensorflow_files.frozen_graph(self.folder / "m.pb"), format="tensorflow")
        self.assertEqual(
            result["inputs"], [{"name": "image", "type": "FP32", "dims": [8, 8, 3], "format": "FORMAT_NHWC"}]
        )
        self.assertEqual(sorted(port["name"] for port in result["outputs"]), ["brighter", "darker"])
        found = self.run_result({"image": np.zeros((2, 8, 8, 3), np.float32)})
        np.testing.assert_array_equal(found["brighter"][1, 0, 0], [1, 2, 3])

    def test_saved_model(self):
        result = self.convert(tensorflow_files.saved_model(self.folder / "saved"), format="saved_model")
        self.assertEqual([port["name"] for port in result["inputs"]], ["image"])
        self.assertEqual([port["name"] for port in result["outputs"]], ["brighter"])
        found = self.run_result({"image": np.zeros((1, 8, 8, 3), np.float32)})
        np.testing.assert_array_equal(found["brighter"][0, 0, 0], [1, 2, 3])

    @needs("flatbuffers")
    def test_tensorflow_lite(self):
        import tflite_files

        path = tflite_files.addition(self.folder / "m.tflite")
        result = self.convert(path, format="tflite", max_batch=4)
        self.assertEqual(
            result["inputs"], [{"name": "image", "type": "FP32", "dims": [8, 8, 3], "format": "FORMAT_NHWC"}]
        )
        self.assertEqual([port["name"] for port in result["outputs"]], ["brighter"])
        found = self.run_result({"image": np.zeros((2, 8, 8, 3), np.float32)})
        np.testing.assert_array_equal(found["brighter"][1, 0, 0], [1, 2, 3])
        path.write_bytes(path.read_bytes()[:-60])
        error = self.refusal(path, format="tflite")
        self.assertIn("'m.tflite' can't be read as a TensorFlow Lite file", error.message)

    def test_openvino(self):
        self.convert(models.convolution(self.folder / "m.onnx"))
        source = self.folder / "source"
        self.output.rename(source)
        result = self.convert(source / "model.xml", format="openvino", precision="fp16", verify=True)
        self.assertEqual([port["name"] for port in result["outputs"]], ["features", "mean"])
        self.assertLess((self.output / "model.bin").stat().st_size, (source / "model.bin").stat().st_size)
        self.assertLess(max(entry["max_difference"] for entry in result["verify"]), 0.05)

    def test_strings(self):
        from onnx import TensorProto, helper

        node = helper.make_node("Identity", ["x"], ["y"])
        ports = [[models.value(name, ["N", 1], TensorProto.STRING)] for name in "xy"]
        path = models.save(self.folder / "m.onnx", [node], *ports)
        if has("onnxruntime"):
            result = self.convert(path, target="onnx")
            self.assertEqual(result["inputs"][0]["type"], "STRING")
            self.assertIn("strings", self.refusal(path, target="onnx", verify=True).message)

    def test_unknown_operations_are_named(self):
        from onnx import helper

        path = self.folder / "m.onnx"
        node = helper.make_node("Frobnicate", ["x"], ["y"], domain="made.up")
        graph = helper.make_graph([node], "g", [models.value("x", [1, 4])], [models.value("y", [1, 4])])
        model = helper.make_model(graph, opset_imports=[*models.OPSET, helper.make_opsetid("made.up", 1)], ir_version=8)
        path.write_bytes(model.SerializeToString())
        error = self.refusal(path)
        self.assertIn("Frobnicate", error.message)


if __name__ == "__main__":
    unittest.main()
