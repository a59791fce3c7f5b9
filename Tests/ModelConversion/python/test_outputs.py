"""Outputs are chosen and ordered; values inside the model can be had too."""

import unittest

import models
import numpy as np
import tensorflow_files
from support import ConversionTest, has


class Outputs(ConversionTest):
    def setUp(self):
        super().setUp()
        self.model = models.convolution(self.folder / "m.onnx")
        self.picture = np.random.default_rng(5).random((1, 3, 16, 24), dtype=np.float32)
        self.targets = ("openvino", *(["onnx"] if has("onnxruntime") else []))

    def names(self, **changes):
        return [port["name"] for port in self.convert(self.model, **changes)["outputs"]]

    def test_order(self):
        for target in self.targets:
            self.assertEqual(self.names(outputs=["mean", "features"], target=target), ["mean", "features"])
            found = self.run_result({"picture": self.picture})
            self.assertEqual({name: array.ndim for name, array in found.items()}, {"mean": 2, "features": 4})

    def test_choice(self):
        for target in self.targets:
            self.assertEqual(self.names(outputs=["mean"], target=target), ["mean"])

    def test_a_value_inside(self):
        for target in self.targets:
            self.assertEqual(self.names(outputs=["raw", "mean"], target=target), ["raw", "mean"])
            found = self.run_result({"picture": self.picture})
            np.testing.assert_allclose(np.maximum(found["raw"], 0).mean((2, 3)), found["mean"], atol=1e-5)

    def test_tensorflows_names_with_and_without_the_number(self):
        path = tensorflow_files.frozen_graph(self.folder / "m.pb")
        for names in (["darker", "brighter"], ["darker:0", "brighter:0"]):
            result = self.convert(path, format="tensorflow", outputs=names)
            self.assertEqual([port["name"] for port in result["outputs"]], ["darker", "brighter"])

    def test_unknown_and_double_names(self):
        for target in self.targets:
            error = self.refusal(self.model, outputs=["other"], target=target)
            self.assertIn("has no output 'other'; it has 'features', 'mean'", error.message)
        self.assertIn("named twice", self.refusal(self.model, outputs=["mean", "mean"]).message)


if __name__ == "__main__":
    unittest.main()
