"""A model in the other layout is changed by graph: the same picture, transposed, gives the same."""

import unittest

import models
import numpy as np
from support import ConversionTest, has

import layouts


class Layouts(ConversionTest):
    def results(self, target, model, layout, picture):
        result = self.convert(model, layout=layout, target=target, verify=True)
        self.assertLess(max(entry["max_difference"] for entry in result["verify"]), 1e-4)
        return result, self.run_result({"picture": picture})

    def test_each_way_for_each_target(self):
        generator = np.random.default_rng(2)
        first = generator.random((2, 3, 16, 24), dtype=np.float32)
        last = np.ascontiguousarray(first.transpose(0, 2, 3, 1))
        for target in ("openvino", *(["onnx"] if has("onnxruntime") else [])):
            for own in ("nchw", "nhwc"):
                model = models.convolution(self.folder / "m.onnx", layout=own)
                one, expected = self.results(target, model, "nchw", first)
                other, found = self.results(target, model, "nhwc", last)
                self.assertEqual(one["inputs"][0]["dims"], [3, 16, 24])
                self.assertEqual(one["inputs"][0]["format"], "FORMAT_NCHW")
                self.assertEqual(other["inputs"][0]["dims"], [16, 24, 3])
                self.assertEqual(other["inputs"][0]["format"], "FORMAT_NHWC")
                np.testing.assert_allclose(found["features"], expected["features"], atol=1e-5)
                np.testing.assert_allclose(found["mean"], expected["mean"], atol=1e-5)
                self.assertEqual(bool(one["notices"]), own == "nhwc")

    def test_a_model_without_pictures(self):
        error = self.refusal(models.addition(self.folder / "m.onnx"), layout="nchw")
        self.assertIn("no input looks like a picture", error.message)
        result = self.convert(self.folder / "m.onnx")
        self.assertEqual(result["inputs"][0]["format"], "FORMAT_NONE")

    def test_shapes_that_tell_and_shapes_that_do_not(self):
        self.assertEqual(layouts.of_shape([1, 3, 8, 8]), "nchw")
        self.assertEqual(layouts.of_shape([-1, -1, -1, 1]), "nhwc")
        for shape in ([1, 3, 8, 3], [1, 8, 8, 8], [1, 3, 8], []):
            self.assertIsNone(layouts.of_shape(shape))


if __name__ == "__main__":
    unittest.main()
