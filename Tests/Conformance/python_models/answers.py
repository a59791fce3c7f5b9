"""What Python models answer on both wires: tensors, streams, requests that come again, statistics and metrics."""

import json
import os
import unittest

import numpy as np
import tritonclient.grpc as grpcclient
import tritonclient.http as httpclient
from server import soon

from .support import ADD_SUB, HERE, REPEAT, TRIAL, WHY, PythonServer, what

SPEAKER = """backend: "python"
model_transaction_policy { decoupled: True }
input [ { name: "PLAN" data_type: TYPE_STRING dims: [ 1 ] } ]
output [ { name: "OUT" data_type: TYPE_INT32 dims: [ 1 ] } ]
instance_group [ { count: 1 kind: KIND_CPU } ]
"""

ITERATIVE = """backend: "python"
max_batch_size: 4
input [ { name: "STEPS" data_type: TYPE_INT32 dims: [ 1 ] } ]
output [ { name: "SAID" data_type: TYPE_INT32 dims: [ 4 ] } ]
instance_group [ { count: 1 kind: KIND_CPU } ]
sequence_batching {
  oldest { max_candidate_sequences: 4 }
  iterative_sequence: true
  control_input [
    { name: "START" control [ { kind: CONTROL_SEQUENCE_START int32_false_true: [ 0, 1 ] } ] },
    { name: "CORRID" control [ { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_UINT64 } ] }
  ]
}
"""

TYPES = ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "STRING"]

# BF16 has no numpy type: the stub hands it on as DLPack, and says so of anything else.
BF16 = """backend: "python"
input [ { name: "IN" data_type: TYPE_BF16 dims: [ -1 ] } ]
output [
  { name: "OUT" data_type: TYPE_BF16 dims: [ -1 ] }, { name: "DOUBLED" data_type: TYPE_BF16 dims: [ -1 ] },
  { name: "SAID" data_type: TYPE_STRING dims: [ 1 ] }
]
instance_group [ { kind: KIND_CPU } ]
"""


def all_types():
    inputs = ", ".join(f'{{ name: "I_{t}" data_type: TYPE_{t} dims: [ -1 ] }}' for t in TYPES)
    outputs = ", ".join(f'{{ name: "O_{t}" data_type: TYPE_{t} dims: [ -1 ] }}' for t in TYPES)
    return f'backend: "python"\ninput [ {inputs} ]\noutput [ {outputs} ]\ninstance_group [ {{ kind: KIND_CPU }} ]\n'


@unittest.skipUnless(HERE, WHY)
class PythonModels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        models = {
            "add_sub": ADD_SUB, "trial": TRIAL, "repeat": REPEAT, "types": all_types(), "completed": 'backend: "python"\n',
            "speaker": SPEAKER, "iterative": ITERATIVE, "bf16": BF16,
            "not_iterative": ITERATIVE.replace("  iterative_sequence: true\n", ""),
            "steps": ITERATIVE.replace("max_b", "model_transaction_policy { decoupled: true }\nmax_b"),
        }  # fmt: skip
        code = {
            "add_sub": "add_sub", "trial": "echo", "repeat": "repeat", "types": "all_types", "completed": "completed",
            "speaker": "speaker", "iterative": "iterative", "steps": "iterative", "not_iterative": "iterative", "bf16": "bf16",
        }  # fmt: skip
        cls.server = PythonServer(cls.program, models, code)
        cls.server.__enter__()
        cls.http = httpclient.InferenceServerClient(f"127.0.0.1:{cls.server.http_port}", network_timeout=120, connection_timeout=120)
        cls.grpc = grpcclient.InferenceServerClient(f"127.0.0.1:{cls.server.grpc_port}")

    @classmethod
    def tearDownClass(cls):
        cls.grpc.close()
        cls.http.close()
        before = [name for name in os.listdir("/dev/shm") if f"halcyon_python_{cls.server.process.pid}_" in name]
        assert before, "Python models have shared memory while they run"
        cls.server.__exit__(None, None, None)
        after = [name for name in os.listdir("/dev/shm") if f"halcyon_python_{cls.server.process.pid}_" in name]
        assert not after, f"{after} is left in /dev/shm"

    def tensors(self, module, *arrays):
        tensors = []
        for index, array in enumerate(arrays):
            tensor = module.InferInput(f"INPUT{index}", list(array.shape), "FP32")
            tensor.set_data_from_numpy(array)
            tensors.append(tensor)
        return tensors

    def test_both_wires_answer(self):
        a, b = np.arange(8, dtype=np.float32).reshape(2, 4), np.ones((2, 4), np.float32)
        for module, client in ((httpclient, self.http), (grpcclient, self.grpc)):
            answer = client.infer("add_sub", self.tensors(module, a, b))
            np.testing.assert_array_equal(answer.as_numpy("OUTPUT0"), a + b)
            np.testing.assert_array_equal(answer.as_numpy("OUTPUT1"), a - b)

    def test_one_output_is_asked_for(self):
        a = np.ones((1, 4), np.float32)
        answer = self.http.infer(
            "add_sub", self.tensors(httpclient, a, a), outputs=[httpclient.InferRequestedOutput("OUTPUT1")])
        self.assertEqual([output["name"] for output in answer.get_response()["outputs"]], ["OUTPUT1"])

    def trial(self, text, client=None, **options):
        return json.loads((client or self.http).infer("trial", what(text), **options).as_numpy("SAID")[0])

    def test_what_a_model_learns_of_a_request(self):
        said = self.trial("tell", request_id="mine", parameters={"a": 1, "b": "two", "c": True}, timeout=5_000_000)
        self.assertEqual(said["id"], "mine")
        self.assertEqual(said["parameters"], {"a": 1, "b": "two", "c": True})
        self.assertEqual(said["timeout"], 5_000_000)
        self.assertEqual((said["name"], said["version"], said["kind"]), ("trial", "1", "CPU"))
        self.assertEqual(said["instance"], "trial_0_0")
        self.assertEqual(said["wanted"], ["SAID"])
        said = self.trial("tell", sequence_id=7, sequence_start=True)
        self.assertEqual((said["correlation"], said["flags"]), (7, 1))

    def test_a_model_that_raises(self):
        with self.assertRaisesRegex(Exception, "this model has had enough"):
            self.trial("raise")
        with self.assertRaisesRegex(Exception, "SystemExit: 4"):
            self.trial("leave")
        with self.assertRaisesRegex(Exception, "no such thing"):
            self.trial("error")
        self.trial("tell")

    # Recorded of Triton: what a stream says with and without a response for the end, and the events of `generate_stream` with
    # their status. An error is one of the responses, and other ones may come after it.
    SPOKEN = {
        "rerF": ([0, "no 1", 2], ["end"], 200, [0, "no 1", 2]),
        "reF": ([0, "no 1"], ["end"], 200, [0, "no 1"]),
        "rE": ([0, "no 1"], [], 200, [0, "no 1"]),
        "eF": (["no 0"], ["end"], 400, ["no 0"]),
        "eeF": (["no 0", "no 1"], ["end"], 400, ["no 0", "no 1"]),
        "E": (["no 0"], [], 400, ["no 0"]),
        "rR": ([0, "1 and end"], [], 200, [0, 1]),
        "F": ([], ["end"], 200, []),
    }

    def spoken(self, plan, wants_end):
        """What a stream says to a request, whose successor tells where that is over."""
        import queue

        answers, said = queue.Queue(), []
        with grpcclient.InferenceServerClient(f"127.0.0.1:{self.server.grpc_port}") as client:
            client.start_stream(lambda result, error: answers.put((result, error)))
            for each in (plan, "R"):
                tensor = grpcclient.InferInput("PLAN", [1], "BYTES")
                tensor.set_data_from_numpy(np.array([each.encode()], np.object_))
                client.async_stream_infer("speaker", [tensor], request_id=each, enable_empty_final_response=wants_end)
            while True:
                result, error = answers.get(timeout=120)
                if error is not None:
                    said.append(error.message())
                    continue
                response = result.get_response()
                if response.id == "R":
                    client.stop_stream()
                    return said
                said.append(int(result.as_numpy("OUT")[0]) if response.outputs else "end")
                if response.parameters["triton_final_response"].bool_param and response.outputs:
                    said[-1] = f"{said[-1]} and end"

    def test_errors_among_responses(self):
        for plan, (responses, end, status, events) in self.SPOKEN.items():
            with self.subTest(plan):
                self.assertEqual(self.spoken(plan, False), responses)
                self.assertEqual(self.spoken(plan, True), responses + end)
                answer = self.generate("generate_stream", plan)
                self.assertEqual((answer[0], answer[1]), (status, "text/event-stream; charset=utf-8"))
                said = [json.loads(line.removeprefix("data: ")) for line in answer[2].split("\n\n") if line]
                self.assertEqual([event.get("error", event.get("OUT")) for event in said], events)

    def test_a_decoupled_model_that_raises(self):
        for wants_end in (False, True):
            first, error = self.spoken("rx", wants_end)
            self.assertEqual(first, 0)
            self.assertIn("this model has had enough", error)
        status, _, text = self.generate("generate_stream", "x")
        self.assertEqual(status, 400)
        self.assertIn("this model has had enough", json.loads(text.removeprefix("data: "))["error"])

    def test_generate_has_one_response(self):
        for plan in ("rerF", "eeF", "F"):
            self.assertIn("exactly 1 response", self.generate("generate", plan)[2])
        for plan in ("eF", "E"):
            self.assertEqual(json.loads(self.generate("generate", plan)[2]), {"error": "no 0"})

    def generate(self, path, plan):
        """Status, type and text of the answer."""
        status, headers, body = self.server.request(
            "POST", f"/v2/models/speaker/{path}", json.dumps({"PLAN": plan}).encode())
        return status, headers["Content-Type"], body.decode()

    def steps(self, module, count):
        tensor = module.InferInput("STEPS", [1, 1], "INT32")
        tensor.set_data_from_numpy(np.array([[count]], np.int32))
        return [tensor]

    def test_a_request_that_comes_again(self):
        for count in (1, 2, 20):
            answer = self.http.infer("iterative", self.steps(httpclient, count)).as_numpy("SAID").tolist()
            first = int(count == 1)
            self.assertEqual(answer, [[count - 1, first, first, 1]])
        with grpcclient.InferenceServerClient(f"127.0.0.1:{self.server.grpc_port}") as client:
            calls = [client.infer("iterative", self.steps(grpcclient, 3), sequence_id=9, sequence_start=True) for _ in range(2)]
        self.assertEqual([call.as_numpy("SAID").tolist() for call in calls], [[[2, 0, 0, 1]]] * 2)

    def test_a_request_that_may_not_come_again(self):
        # Triton's own server never answers it.
        with self.assertRaisesRegex(Exception, "the model is not configured to handle such a flag"):
            self.http.infer("not_iterative", self.steps(httpclient, 2), sequence_id=9, sequence_start=True)
        answer = self.http.infer("not_iterative", self.steps(httpclient, 1), sequence_id=9, sequence_start=True)
        self.assertEqual(answer.as_numpy("SAID").tolist(), [[0, 1, 1, 1]])

    def test_requests_that_come_again_answer_at_each_step(self):
        import queue

        answers, said = queue.Queue(), {}
        counts = {"a": 3, "b": 1, "c": 5}
        with grpcclient.InferenceServerClient(f"127.0.0.1:{self.server.grpc_port}") as client:
            client.start_stream(lambda result, error: answers.put((result, error)))
            for name, count in counts.items():
                client.async_stream_infer("steps", self.steps(grpcclient, count), request_id=name)
            for _ in range(sum(counts.values())):
                result, error = answers.get(timeout=120)
                self.assertIsNone(error)
                response = result.get_response()
                is_final = response.parameters["triton_final_response"].bool_param
                said.setdefault(response.id, []).append((result.as_numpy("SAID").tolist()[0], is_final))
            client.stop_stream()
        for name, count in counts.items():
            expected = [([step, int(step == 0), int(step == 0), 1], step + 1 == count) for step in range(count)]
            self.assertEqual(said[name], expected)

    def test_its_lines_are_in_the_log(self):
        self.trial("log")
        self.assertTrue(soon(lambda: "a line of the model's" in self.server.text()))

    def test_its_metrics_are_on_the_page(self):
        self.trial("tell")
        import urllib.request

        def page():
            return urllib.request.urlopen(f"http://127.0.0.1:{self.server.metrics_port}/metrics").read().decode()

        self.assertTrue(soon(lambda: 'python_requests_total{' in page()))
        line = [line for line in page().splitlines() if line.startswith("python_requests_total{")][0]
        self.assertIn('model="trial"', line)
        self.assertIn("# TYPE python_requests_total counter", page())
        self.assertGreaterEqual(float(line.split()[-1]), 2)

    def test_statistics_are_those_that_the_backend_reports(self):
        def counts():
            statistics = self.http.get_inference_statistics("add_sub")["model_stats"][0]
            return statistics["inference_count"], statistics["execution_count"], statistics["inference_stats"]["success"]["count"]

        before = counts()
        a = np.ones((3, 4), np.float32)
        self.http.infer("add_sub", self.tensors(httpclient, a, a))
        self.assertTrue(soon(lambda: counts() == (before[0] + 3, before[1] + 1, before[2] + 1)), counts())

    def test_any_number_of_responses(self):
        import queue

        for count in (0, 1, 5):
            answers = queue.Queue()
            with grpcclient.InferenceServerClient(f"127.0.0.1:{self.server.grpc_port}") as client:
                client.start_stream(lambda result, error: answers.put((result, error)))
                tensor = grpcclient.InferInput("IN", [1], "INT32")
                tensor.set_data_from_numpy(np.array([count], np.int32))
                client.async_stream_infer("repeat", [tensor], enable_empty_final_response=True)
                values = []
                while True:
                    result, error = answers.get(timeout=120)
                    self.assertIsNone(error)
                    if result.get_response().parameters["triton_final_response"].bool_param:
                        break
                    values.append(int(result.as_numpy("OUT")[0]))
                client.stop_stream()
            self.assertEqual(values, [index * index for index in range(count)])

    def test_all_types_and_empty_tensors(self):
        for size in (3, 0):
            tensors = []
            arrays = {}
            for name in TYPES:
                if name == "STRING":
                    array = np.array([b"a", b"", "\u00fc\u0000x".encode()][:size], np.object_)
                else:
                    array = np.array([0, 1, 2][:size]).astype("bool" if name == "BOOL" else name.lower().replace("fp", "float"))
                arrays[name] = array
                tensor = grpcclient.InferInput(f"I_{name}", list(array.shape), "BYTES" if name == "STRING" else name)
                tensor.set_data_from_numpy(array)
                tensors.append(tensor)
            answer = self.grpc.infer("types", tensors)
            for name, array in arrays.items():
                np.testing.assert_array_equal(answer.as_numpy(f"O_{name}"), array)

    def test_bf16_is_handed_on_as_dlpack(self):
        def raw(values):
            return np.array(values, np.float32).view(np.uint16)[1::2].tobytes()

        for values in ([1, -2.5, 3], []):
            tensor = grpcclient.InferInput("IN", [len(values)], "BF16")
            # The clients take BF16 as numbers of other types, by version: these are the bytes on the wire.
            tensor._raw_content = raw(values)
            answer = self.grpc.infer("bf16", [tensor], outputs=[grpcclient.InferRequestedOutput(n) for n in ("OUT", "DOUBLED", "SAID")])
            response = answer.get_response()
            contents = {output.name: content for output, content in zip(response.outputs, response.raw_output_contents)}
            self.assertEqual({output.datatype for output in response.outputs}, {"BF16", "BYTES"})
            self.assertEqual(contents["OUT"], raw(values))
            self.assertEqual(contents["DOUBLED"], raw([2 * value for value in values]))
            self.assertIn("BF16 and cannot be converted to NumPy", answer.as_numpy("SAID")[0].decode())

    def test_a_configuration_that_the_model_completes(self):
        configuration = self.http.get_model_config("completed")
        self.assertEqual(configuration["max_batch_size"], 4)
        self.assertEqual(configuration["input"][0]["name"], "X")
        self.assertIn("dynamic_batching", configuration)
        tensor = httpclient.InferInput("X", [2, 3], "FP32")
        tensor.set_data_from_numpy(np.ones((2, 3), np.float32))
        np.testing.assert_array_equal(self.http.infer("completed", [tensor]).as_numpy("Y"), np.full((2, 3), 2, np.float32))
