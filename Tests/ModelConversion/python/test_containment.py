"""A model's files lie in its own folder: names and links that lead elsewhere are refused."""

import os
import unittest

import models
import numpy as np
import tensorflow_files
from support import ConversionTest, needs


class Containment(ConversionTest):
    def setUp(self):
        super().setUp()
        self.own = self.folder / "own"
        self.own.mkdir()
        # What must not be read: it lies beside the model's folder and has the right size.
        self.secret = self.folder / "secret.bin"
        self.secret.write_bytes(bytes(64))

    def assert_refused(self, location, words, target="openvino", **more):
        path = models.external(self.own / "m.onnx", location, **more)
        error = self.refusal(path, target=target)
        self.assertEqual(error.code, "invalid_argument", error.message)
        self.assertIn(words, error.message)

    def test_external_data_beside_the_model_is_read(self):
        path = models.external(self.own / "m.onnx", "weights.bin", content=self.own / "weights.bin")
        self.convert(path)
        found = self.run_result({"x": np.ones((1, 4), np.float32)})
        np.testing.assert_array_equal(found["y"], np.full((1, 4), 4, np.float32))

    @needs("onnxruntime")
    def test_external_data_for_the_other_target(self):
        path = models.external(self.own / "m.onnx", "weights.bin", content=self.own / "weights.bin")
        self.convert(path, target="onnx", verify=True)
        self.assertEqual([file.name for file in self.output.iterdir()], ["model.onnx"])

    def test_names_that_lead_elsewhere(self):
        self.assert_refused("../secret.bin", "not inside the model's own folder")
        self.assert_refused("sub/../../secret.bin", "not inside the model's own folder")
        self.assert_refused(str(self.secret), "not inside the model's own folder")
        self.assert_refused("", "not inside the model's own folder")
        self.assert_refused("..\\secret.bin", "not inside the model's own folder")

    @needs("onnxruntime")
    def test_names_that_lead_elsewhere_for_the_other_target(self):
        self.assert_refused("../secret.bin", "not inside the model's own folder", target="onnx")

    def test_links_that_lead_out(self):
        os.symlink(self.secret, self.own / "weights.bin")
        self.assert_refused("weights.bin", "a link that leads out")

    def test_a_linked_folder_that_leads_out(self):
        os.symlink(self.folder, self.own / "sub")
        self.assert_refused("sub/secret.bin", "a link that leads out")

    def test_absent_and_short_files(self):
        self.assert_refused("weights.bin", "no such file")
        (self.own / "weights.bin").write_bytes(bytes(63))
        self.assert_refused("weights.bin", "needs 64 bytes at 0")
        (self.own / "weights.bin").write_bytes(bytes(64))
        self.assert_refused("weights.bin", "needs 64 bytes at 16", offset=16)
        self.assert_refused("weights.bin", "needs 64 bytes", length=8)
        self.assert_refused("weights.bin", "no number of bytes", offset="-16")
        self.assert_refused("weights.bin", "no number of bytes", length="9" * 30)

    def test_a_saved_model_with_a_link_out(self):
        folder = tensorflow_files.saved_model(self.own / "saved")
        os.symlink(self.secret, folder / "variables" / "variables.data-00000-of-00001")
        error = self.refusal(folder, format="saved_model")
        self.assertIn("a link that leads out of the folder", error.message)

    def test_an_ir_whose_weights_are_a_link_out(self):
        self.convert(models.convolution(self.folder / "m.onnx"))
        (self.own / "m.xml").write_bytes((self.output / "model.xml").read_bytes())
        (self.output / "model.bin").rename(self.folder / "m.bin")
        os.symlink(self.folder / "m.bin", self.own / "m.bin")
        error = self.refusal(self.own / "m.xml", format="openvino")
        self.assertIn("a link that leads out", error.message)

    def test_nothing_is_written_elsewhere(self):
        path = models.convolution(self.own / "m.onnx")
        before = sorted(os.listdir(self.own))
        self.assertIn("plain file name", self.refusal(path, model_file="../model.xml").message)
        self.convert(path, compiled=True)
        self.assertEqual(sorted(os.listdir(self.own)), before)
        self.assertEqual(sorted(os.listdir(self.output)), ["model.bin", "model.blob", "model.xml"])


if __name__ == "__main__":
    unittest.main()
