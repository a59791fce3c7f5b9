"""Dimensions, batch and profiles: what is asked for is what the result takes, or an error says why not."""

import unittest

import models
import numpy as np
import tensorflow_files
from support import ConversionTest, needs


class Batch(ConversionTest):
    def test_a_fixed_batch_is_opened(self):
        result = self.convert(models.convolution(self.folder / "m.onnx", batch=1), max_batch=8)
        self.assertEqual(result["max_batch"], 8)
        self.assertEqual(result["outputs"][0]["dims"], [4, 16, 24])
        found = self.run_result({"picture": np.zeros((5, 3, 16, 24), np.float32)})
        self.assertEqual(found["mean"].shape, (5, 4))

    def test_the_models_own_batch(self):
        for batch, expected in (("N", 16), (1, 1), (4, 0)):
            result = self.convert(models.convolution(self.folder / "m.onnx", batch=batch))
            self.assertEqual(result["max_batch"], expected)
        self.assertEqual(result["inputs"][0]["dims"], [4, 3, 16, 24])

    def test_no_batch(self):
        result = self.convert(models.convolution(self.folder / "m.onnx", batch=1), max_batch=0)
        self.assertEqual(result["max_batch"], 0)
        self.assertEqual(result["inputs"][0]["dims"], [1, 3, 16, 24])

    def test_a_batch_fixed_inside(self):
        error = self.refusal(models.fixed_inside(self.folder / "m.onnx"), max_batch=4)
        self.assertIn("'y' stays", error.message)
        self.assertEqual(self.convert(self.folder / "m.onnx", max_batch=1)["max_batch"], 1)

    @needs("onnxruntime")
    def test_a_batch_for_the_other_target(self):
        result = self.convert(models.convolution(self.folder / "m.onnx", batch=1), max_batch=8, target="onnx")
        self.assertEqual(result["max_batch"], 8)
        found = self.run_result({"picture": np.zeros((5, 3, 16, 24), np.float32)})
        self.assertEqual(found["mean"].shape, (5, 4))
        self.refusal(models.fixed_inside(self.folder / "f.onnx"), max_batch=4, target="onnx")


class Dimensions(ConversionTest):
    def test_open_dimensions_are_given(self):
        path = tensorflow_files.frozen_graph(self.folder / "m.pb", dims=(-1, -1, -1, 3))
        result = self.convert(path, format="tensorflow")
        self.assertEqual(result["inputs"][0]["dims"], [-1, -1, 3])
        result = self.convert(path, format="tensorflow", input_dims={"image": [10, 20, 3]})
        self.assertEqual(result["inputs"][0]["dims"], [10, 20, 3])
        self.assertEqual(result["outputs"][0]["dims"], [10, 20, 3])

    def test_either_order_of_dimensions(self):
        path = tensorflow_files.frozen_graph(self.folder / "m.pb", dims=(-1, -1, -1, 3))
        result = self.convert(path, format="tensorflow", input_dims={"": [3, 10, 20]})
        self.assertEqual(result["inputs"][0]["dims"], [10, 20, 3])

    def test_other_dimensions_where_the_model_works_with_them(self):
        path = models.convolution(self.folder / "m.onnx")
        result = self.convert(path, input_dims={"picture": [3, 32, 40]})
        self.assertEqual(result["outputs"][0]["dims"], [4, 32, 40])
        self.assertIn("3 channels", self.refusal(path, input_dims={"picture": [4, 32, 40]}).message)
        self.assertIn("takes 3 dimensions", self.refusal(path, input_dims={"picture": [32, 40]}).message)

    def test_inputs_by_name(self):
        path = models.addition(self.folder / "m.onnx")
        self.assertIn("has no input 'middle'", self.refusal(path, input_dims={"middle": [4]}).message)
        self.assertIn("2 inputs ('left', 'right')", self.refusal(path, input_dims={"": [4]}).message)
        self.assertIn("does not work with", self.refusal(path, input_dims={"left": [5]}).message)

    @needs("onnxruntime")
    def test_dimensions_for_the_other_target(self):
        path = models.convolution(self.folder / "m.onnx")
        result = self.convert(path, input_dims={"picture": [32, 40, 3]}, target="onnx", verify=True)
        self.assertEqual(result["inputs"][0]["dims"], [3, 32, 40])
        self.assertEqual(result["outputs"][0]["dims"], [4, 32, 40])
        self.assertLess(max(entry["max_difference"] for entry in result["verify"]), 1e-4)


def profile(low, usual, high, name="left"):
    return {"input": name, "min": low, "opt": usual, "max": high}


class Profiles(ConversionTest):
    def setUp(self):
        super().setUp()
        self.model = models.addition(self.folder / "m.onnx", shape=("N", "M"))

    def test_a_profile_bounds_the_dimensions(self):
        both = [profile([1, 2], [4, 4], [8, 6], name) for name in ("left", "right")]
        result = self.convert(self.model, profiles=both, verify=True)
        self.assertEqual(result["max_batch"], 8)
        self.assertEqual(result["inputs"][0]["dims"], [-1])
        arrays = {name: np.ones((8, 6), np.float32) for name in ("left", "right")}
        self.assertEqual(self.run_result(arrays)["sum"].shape, (8, 6))
        import openvino as ov

        saved = ov.Core().read_model(str(self.output / "model.xml"))
        self.assertEqual(str(saved.input("left").get_partial_shape()), "[1..8,2..6]")

    @needs("onnxruntime")
    def test_a_profile_for_the_other_target(self):
        both = [profile([1, 2], [4, 4], [8, 6], name) for name in ("left", "right")]
        result = self.convert(self.model, profiles=both, target="onnx", verify=True)
        self.assertEqual(result["max_batch"], 8)
        self.assertEqual(result["inputs"][0]["dims"], [-1])
        self.assertTrue(any("no place for a profile's bounds" in notice for notice in result["notices"]))

    def test_the_order_of_a_profile(self):
        error = self.refusal(self.model, profiles=[profile([1, 4], [1, 2], [1, 6])])
        self.assertIn("min <= opt <= max", error.message)
        error = self.refusal(self.model, profiles=[profile([1, 4], [1, 4], [6])])
        self.assertIn("different ranks", error.message)

    def test_a_profile_that_does_not_fit(self):
        error = self.refusal(self.model, profiles=[profile([1], [1], [2])])
        self.assertIn("has 2 dimensions with the batch, its profile has 1", error.message)
        fixed = models.addition(self.folder / "f.onnx")
        error = self.refusal(fixed, profiles=[profile([1, 2], [1, 4], [1, 6])])
        self.assertIn("has 4 at axis 1", error.message)
        error = self.refusal(self.model, max_batch=4, profiles=[profile([1, 2], [1, 2], [8, 2])])
        self.assertIn("the maximum batch is 4, but the profiles' is 8", error.message)
        error = self.refusal(self.model, profiles=[profile([1, 2], [1, 2], [1, 2])] * 2)
        self.assertIn("two profiles", error.message)
        error = self.refusal(self.model, profiles=[profile([1, 2], [1, 2], [2**20, 2**20])])
        self.assertIn("the limit is", error.message)


if __name__ == "__main__":
    unittest.main()
