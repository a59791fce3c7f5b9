"""Damaged, truncated, foreign and absurd files end in a sentence that names the file and what is wrong with it."""

import unittest

import models
import numpy as np
import tensorflow_files
from onnx import TensorProto, helper
from support import ConversionTest, needs


class Damaged(ConversionTest):
    def file(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def test_truncated_onnx(self):
        whole = models.convolution(self.folder / "whole.onnx").read_bytes()
        for size in (0, 1, len(whole) // 4, len(whole) // 2, len(whole) - 5):
            error = self.refusal(self.file("m.onnx", whole[:size]))
            self.assertEqual(error.code, "invalid_argument", error.message)
            self.assertIn("'m.onnx'", error.message)

    def damage(self, path, format, seed):
        """Converts sixty variations of a file with some bytes replaced; how many were refused."""
        whole, generator, refused = path.read_bytes(), np.random.default_rng(seed), 0
        for _ in range(60):
            data = bytearray(whole)
            for position in generator.integers(0, len(data), 4):
                data[position] = int(generator.integers(0, 256))
            path.write_bytes(bytes(data))
            try:
                self.convert(path, format=format)
            except Exception as error:
                # Anything but the one type of error fails here.
                self.assertEqual(type(error).__name__, "ConversionError", repr(error))
                refused += 1
        return refused

    def test_damaged_bytes_never_end_in_a_trace(self):
        self.assertGreater(self.damage(models.convolution(self.folder / "m.onnx"), "onnx", 3), 0)
        self.assertGreater(self.damage(tensorflow_files.frozen_graph(self.folder / "m.pb"), "tensorflow", 4), 0)
        self.convert(models.convolution(self.folder / "whole.onnx"))
        source = self.folder / "ir"
        self.output.rename(source)
        self.assertGreater(self.damage(source / "model.xml", "openvino", 5), 0)

    @needs("flatbuffers")
    def test_damaged_tensorflow_lite(self):
        import tflite_files

        path = tflite_files.addition(self.folder / "m.tflite")
        whole = path.read_bytes()
        self.assertGreater(self.damage(path, "tflite", 6), 0)
        path.write_bytes(whole.replace(b"image", b"im\xf6ge"))
        self.assertIn("no UTF-8 text", self.refusal(path, format="tflite").message)

    def test_something_else_under_the_name(self):
        for data in (b"hello, world\n" * 20, bytes(range(256)), b"\x89PNG\r\n\x1a\n" + bytes(100)):
            for format, name in (("onnx", "m.onnx"), ("tensorflow", "m.pb"), ("tflite", "m.tflite")):
                error = self.refusal(self.file(name, data), format=format)
                self.assertEqual(error.code, "invalid_argument", error.message)
                self.assertIn(f"'{name}'", error.message)

    def test_truncated_frozen_graph(self):
        error = self.refusal(self.file("m.pb", tensorflow_files.graph()[:-20]), format="tensorflow")
        self.assertIn("'m.pb' can't be read as a TensorFlow frozen graph", error.message)

    def test_unknown_operation_of_tensorflow(self):
        error = self.refusal(
            self.file("m.pb", tensorflow_files.graph().replace(b"AddV2", b"AddVX")), format="tensorflow"
        )
        self.assertEqual(error.code, "unsupported")
        self.assertIn("AddVX", error.message)

    def test_truncated_ir(self):
        self.convert(models.convolution(self.folder / "m.onnx"))
        xml, weights = (self.output / "model.xml").read_bytes(), (self.output / "model.bin").read_bytes()
        source = self.folder / "ir"
        source.mkdir()
        (source / "m.xml").write_bytes(xml)
        (source / "m.bin").write_bytes(weights[:10])
        self.assertIn("Incorrect weights", self.refusal(source / "m.xml", format="openvino").message)
        (source / "m.bin").write_bytes(weights)
        (source / "m.xml").write_bytes(xml[: len(xml) // 2])
        self.assertIn("damaged or truncated", self.refusal(source / "m.xml", format="openvino").message)
        (source / "m.bin").unlink()
        self.assertIn("'m.bin', but there is no such file", self.refusal(source / "m.xml", format="openvino").message)

    def test_a_folder_without_a_saved_model(self):
        (self.folder / "empty").mkdir()
        error = self.refusal(self.folder / "empty", format="saved_model")
        self.assertIn("holds no saved_model.pb", error.message)

    def test_absurd_dimensions_of_the_model(self):
        for shape in ([1, 2**40], [2**20, 2**20], [1, 2**62]):
            node = helper.make_node("Relu", ["x"], ["y"])
            graph = helper.make_graph([node], "g", [models.value("x", shape)], [models.value("y", shape)])
            model = helper.make_model(graph, opset_imports=models.OPSET, ir_version=8)
            error = self.refusal(self.file("m.onnx", model.SerializeToString()))
            self.assertEqual(error.code, "invalid_argument")
            self.assertIn("limit", error.message)

    def test_absurd_dimensions_in_other_formats(self):
        path = tensorflow_files.frozen_graph(self.folder / "m.pb", dims=(-1, 2**31, 2**31, 3))
        error = self.refusal(path, format="tensorflow")
        self.assertIn("the limit is", error.message)
        path = tensorflow_files.frozen_graph(self.folder / "c.pb", constant_dims=[2**40])
        error = self.refusal(path, format="tensorflow")
        self.assertIn("'c.pb' can't be read", error.message)

    def test_absurd_dimensions_of_the_user(self):
        path = models.convolution(self.folder / "m.onnx")
        for dims in ([3, 0, 24], [3, 2**31, 24], [3, 60000, 60000], [3, -1, 24], [3] * 9, [3, 1.5, 24]):
            error = self.refusal(path, input_dims={"": dims})
            self.assertEqual(error.code, "invalid_argument", dims)
        self.assertEqual(self.refusal(path, max_batch=5000).code, "invalid_argument")
        error = self.refusal(models.convolution(self.folder / "big.onnx", height=8192, width=8192), max_batch=16)
        self.assertIn("at its largest", error.message)

    def test_a_constant_that_claims_more_than_it_holds(self):
        for dims in ([2**31 + 1], [2**20, 2**20], [-4], [5]):
            tensor = TensorProto(name="c", data_type=TensorProto.FLOAT, dims=dims, raw_data=bytes(16))
            node = helper.make_node("Add", ["x", "c"], ["y"])
            graph = helper.make_graph([node], "g", [models.value("x", [4])], [models.value("y", [4])], [tensor])
            model = helper.make_model(graph, opset_imports=models.OPSET, ir_version=8)
            error = self.refusal(self.file("m.onnx", model.SerializeToString()))
            self.assertIn("constant 'c'", error.message)


if __name__ == "__main__":
    unittest.main()
