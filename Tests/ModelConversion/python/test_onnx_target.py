"""What only the other target has to say: formats and forms that ONNX Runtime does not take, and operator sets."""

import unittest

import models
import numpy as np
import onnx
import tensorflow_files
from support import ConversionTest, needs


class Refusals(ConversionTest):
    def test_other_formats_and_forms(self):
        path = tensorflow_files.frozen_graph(self.folder / "m.pb")
        error = self.refusal(path, format="tensorflow", target="onnx")
        self.assertEqual(error.code, "unsupported")
        self.assertIn("not the format tensorflow: choose --target openvino", error.message)
        model = models.convolution(self.folder / "m.onnx")
        self.assertIn("no BF16", self.refusal(model, target="onnx", precision="bf16").message)
        self.assertIn("compiled", self.refusal(model, target="onnx", compiled=True).message)
        self.assertIn("operator set", self.refusal(model, opset=18).message)


@needs("onnxruntime")
class Graphs(ConversionTest):
    def test_the_operator_set(self):
        path = models.convolution(self.folder / "m.onnx")
        result = self.convert(path, target="onnx", opset=18, verify=True)
        versions = {entry.domain: entry.version for entry in onnx.load(self.output / "model.onnx").opset_import}
        self.assertEqual(versions[""], 18)
        self.assertLess(max(entry["max_difference"] for entry in result["verify"]), 1e-4)
        self.assertIn("can't go from operator set 13 to 2000", self.refusal(path, target="onnx", opset=2000).message)

    def test_a_portable_file(self):
        path = models.convolution(self.folder / "m.onnx")

        def domains(**changes):
            self.convert(path, target="onnx", outputs=["features"], **changes)
            return {node.domain for node in onnx.load(self.output / "model.onnx").graph.node}

        self.assertEqual(domains(portable=True), {""})
        # The usual file fuses the activation into the convolution, which only ONNX Runtime knows.
        self.assertIn("com.microsoft", domains())

    def test_constants_that_are_listed_as_inputs(self):
        path = models.convolution(self.folder / "m.onnx")
        model = onnx.load(path)
        model.graph.input.append(models.value("weights", [4, 3, 3, 3]))
        onnx.save(model, path)
        result = self.convert(path, target="onnx")
        self.assertEqual([port["name"] for port in result["inputs"]], ["picture"])

    def test_what_no_output_needs_goes(self):
        path = models.convolution(self.folder / "m.onnx")
        self.convert(path, target="onnx", outputs=["features"])
        kinds = {node.op_type for node in onnx.load(self.output / "model.onnx").graph.node}
        self.assertFalse(kinds & {"GlobalAveragePool", "Flatten"}, kinds)

    def test_subgraphs_keep_what_they_read(self):
        from onnx import helper

        def branch(name, source):
            node = helper.make_node("Identity", [source], [name])
            return helper.make_graph([node], name, [], [models.value(name, ["N", 4])])

        nodes = [
            helper.make_node("Relu", ["x"], ["positive"]),
            helper.make_node("Neg", ["x"], ["negative"]),
            helper.make_node(
                "If", ["flag"], ["y"], then_branch=branch("t", "positive"), else_branch=branch("e", "negative")
            ),
        ]
        flag = models.constant("flag", np.array(False))
        shape = ["N", 4]
        ports = [models.value("x", shape)], [models.value("y", shape)]
        path = models.save(self.folder / "m.onnx", nodes, *ports, [flag])
        self.convert(path, target="onnx")
        found = self.run_result({"x": np.float32([[1, -2, 3, -4]])})
        np.testing.assert_array_equal(found["y"], [[-1, 2, -3, 4]])


if __name__ == "__main__":
    unittest.main()
