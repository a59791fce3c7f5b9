"""The cases of Tests/Cases over HTTP and gRPC; Swift tests ask the library the same."""

import json
import unittest

import ml_dtypes
import numpy as np
import tritonclient.grpc
import tritonclient.http
from server import ROOT, Server, identity
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

CASES = json.loads((ROOT / "Tests" / "Cases" / "inference.json").read_text())
STATUS = {"INVALID_ARGUMENT": ("400", "StatusCode.INVALID_ARGUMENT"), "NOT_FOUND": ("404", "StatusCode.NOT_FOUND")}


def array(tensor):
    if tensor["datatype"] == "BYTES":
        values = np.array([value.encode() for value in tensor["values"]], np.object_)
    else:
        kind = ml_dtypes.bfloat16 if tensor["datatype"] == "BF16" else triton_to_np_dtype(tensor["datatype"])
        values = np.array(tensor["values"], kind)
    return values.reshape(tensor["shape"])


class SharedCases(unittest.TestCase):
    program = ""

    def test_over_both_wires(self):
        models = {
            name: identity(model["types"], model["dims"], model["max_batch_size"])
            for name, model in CASES["models"].items()
        }
        with Server(self.program, models) as server:
            for library, port, wire in (
                (tritonclient.http, server.http_port, 0),
                (tritonclient.grpc, server.grpc_port, 1),
            ):
                client = library.InferenceServerClient(f"127.0.0.1:{port}")
                self.addCleanup(client.close)
                for case in CASES["cases"]:
                    with self.subTest(case["name"], wire=library.__name__):
                        self.check(case, library, client, wire)

    def check(self, case, library, client, wire):
        inputs = {}
        for tensor in case["inputs"]:
            inputs[tensor["name"]] = library.InferInput(tensor["name"], tensor["shape"], tensor["datatype"])
            inputs[tensor["name"]].set_data_from_numpy(array(tensor))
        outputs = [library.InferRequestedOutput(name) for name in case.get("requested", [])]

        def infer():
            return client.infer(
                case["model"], list(inputs.values()), str(case.get("version", "")), outputs=outputs or None,
                request_id=case.get("id", ""),
            )  # fmt: skip

        if "error" in case:
            with self.assertRaises(InferenceServerException) as caught:
                infer()
            self.assertIn(case["error"], caught.exception.message())
            self.assertEqual(caught.exception.status(), STATUS[case["code"]][wire])
            return
        result = infer()
        answer = result.get_response() if wire == 0 else result.get_response(as_json=True)
        self.assertEqual([each["name"] for each in answer["outputs"]], list(case["outputs"]))
        self.assertEqual(answer.get("id", ""), case.get("id", ""))
        for output, source in case["outputs"].items():
            expected = array(next(each for each in case["inputs"] if each["name"] == source))
            actual = result.as_numpy(output)
            self.assertEqual(actual.shape, expected.shape)
            np.testing.assert_array_equal(actual.astype(expected.dtype), expected)
