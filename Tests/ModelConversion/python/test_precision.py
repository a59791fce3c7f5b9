"""What each precision keeps and what it saves."""

import unittest

import models
import numpy as np
import openvino as ov
from onnx import helper
from support import ConversionTest, needs

import precision


class Precision(ConversionTest):
    def setUp(self):
        super().setUp()
        weights = np.random.default_rng(4).standard_normal((256, 256)).astype(np.float32)
        offset = np.full((256,), 1 + 2**-20, np.float32)
        nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["m", "offset"], ["y"])]
        constants = [models.constant("w", weights), models.constant("offset", offset)]
        shape = [models.value("x", ["N", 256])], [models.value("y", ["N", 256])]
        self.model = models.save(self.folder / "m.onnx", nodes, *shape, constants)

    def size_and_difference(self, name, **changes):
        result = self.convert(self.model, precision=name, verify=True, **changes)
        size = sum((self.output / file).stat().st_size for file in result["files"])
        return result, size, result["verify"][0]["max_difference"]

    def test_openvino(self):
        result, whole, difference = self.size_and_difference("fp32")
        self.assertEqual(difference, 0)
        self.assertEqual(result["engine_parameters"], {"INFERENCE_PRECISION_HINT": "f32"})
        # Without a hint the engine takes what the processor is fastest with, which may be BF16.
        for name, parameters in (("fp16", {}), ("bf16", {"INFERENCE_PRECISION_HINT": "bf16"})):
            result, size, difference = self.size_and_difference(name)
            self.assertLess(size, 0.6 * whole)
            self.assertTrue(0 < difference < 0.5, f"{name} {difference}")
            self.assertEqual(result["engine_parameters"], parameters)
            self.assertEqual(result["inputs"][0]["type"], "FP32")

    def test_bf16_keeps_what_is_no_weight(self):
        model = ov.Core().read_model(str(self.model))
        self.assertEqual(precision.keep_weights_in_bf16(model), 1)
        kept = [op.data for op in model.get_ops() if op.get_type_name() == "Constant" and op.data.size == 256]
        self.assertEqual(float(kept[0].flat[0]), float(np.float32(1 + 2**-20)))

    def test_rounding_to_bf16(self):
        values = np.float32([1, -2.5, 1 + 2**-8, 1 + 3 * 2**-8, 3e38, np.inf, np.nan, 0])
        bits = precision.bf16_tensor(values).data.view(np.uint16)
        back = (bits.astype(np.uint32) << 16).view(np.float32)
        np.testing.assert_array_equal(back[[0, 1, 2, 3, 5, 7]], np.float32([1, -2.5, 1, 1 + 2**-6, np.inf, 0]))
        self.assertTrue(np.isnan(back[6]))

    @needs("onnxruntime")
    def test_onnx(self):
        _, whole, difference = self.size_and_difference("fp32", target="onnx")
        self.assertEqual(difference, 0)
        result, size, difference = self.size_and_difference("fp16", target="onnx")
        self.assertLess(size, 0.6 * whole)
        self.assertTrue(0 < difference < 0.5, difference)
        self.assertEqual(result["inputs"][0]["type"], "FP32")

    def test_compiled(self):
        result = self.convert(self.model, compiled=True)
        self.assertEqual(result["compiled"]["openvino"], ov.get_version())
        self.assertEqual(result["compiled"]["device"], ov.Core().get_property("CPU", "FULL_DEVICE_NAME"))
        self.assertIn("model.blob", result["files"])
        blob = (self.output / "model.blob").read_bytes()
        arrays = {"x": np.ones((3, 256), np.float32)}
        # The precision is a matter of whoever loads it.
        imported = ov.Core().import_model(blob, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(arrays)[0]
        np.testing.assert_allclose(imported, self.run_result(arrays)["y"], atol=1e-4)


if __name__ == "__main__":
    unittest.main()
