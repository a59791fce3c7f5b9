"""Decoupled models, ensembles, sequences of responses and the response cache over the wires."""

import json
import queue
import struct
import threading
import time
import unittest
import urllib.request

import grpc
import numpy as np
import tritonclient.grpc
import tritonclient.http
from server import BACKENDS, ROOT, SHARED, Server, identity
from tritonclient.grpc import service_pb2
from tritonclient.utils import InferenceServerException

REPEAT = """backend: "repeat"
max_batch_size: 0
input [ { name: "IN" data_type: TYPE_INT32 dims: [ -1 ] },
        { name: "DELAY" data_type: TYPE_UINT32 dims: [ -1 ] optional: true } ]
output [ { name: "OUT" data_type: TYPE_INT32 dims: [ 1 ] }, { name: "IDX" data_type: TYPE_UINT32 dims: [ 1 ] } ]
model_transaction_policy { decoupled: true }
"""

CHAIN = """platform: "ensemble"
max_batch_size: 8
input [ { name: "IN" data_type: TYPE_FP32 dims: [ -1 ] } ]
output [ { name: "OUT" data_type: TYPE_FP32 dims: [ -1 ] } ]
ensemble_scheduling { step [
  { model_name: "fp32" model_version: -1 input_map { key: "INPUT0" value: "IN" } output_map { key: "OUTPUT0" value: "M" } },
  { model_name: "fp32" model_version: -1 input_map { key: "INPUT0" value: "M" } output_map { key: "OUTPUT0" value: "OUT" } }
] }
"""

PIPELINE = """platform: "ensemble"
max_batch_size: 0
input [ { name: "IN" data_type: TYPE_INT32 dims: [ -1 ] } ]
output [ { name: "OUT" data_type: TYPE_INT32 dims: [ 1 ] }, { name: "IDX" data_type: TYPE_UINT32 dims: [ 1 ] } ]
ensemble_scheduling { step [
  { model_name: "repeat" model_version: -1 input_map { key: "IN" value: "IN" }
    output_map { key: "OUT" value: "M" } output_map { key: "IDX" value: "IDX" } },
  { model_name: "int32" model_version: -1 input_map { key: "INPUT0" value: "M" } output_map { key: "OUTPUT0" value: "OUT" } }
] }
"""


SEQUENCE = """platform: "onnxruntime_onnx"
max_batch_size: 8
input [ { name: "INPUT" data_type: TYPE_INT32 dims: [ 1 ] } ]
output [ { name: "OUTPUT" data_type: TYPE_INT32 dims: [ 1 ] } ]
sequence_batching {
  STRATEGY
  max_sequence_idle_microseconds: 5000000
  control_input [
    { name: "START" control [ { kind: CONTROL_SEQUENCE_START int32_false_true: [ 0, 1 ] } ] },
    { name: "READY" control [ { kind: CONTROL_SEQUENCE_READY int32_false_true: [ 0, 1 ] } ] }
  ]
}
"""


@unittest.skipUnless((SHARED / "models" / "qa").is_dir() and (BACKENDS / "openvino").is_dir(),
                     "the models of ../shared or the engine are not there")  # fmt: skip
class Sequences(unittest.TestCase):
    """Triton's own example: the model answers with its input, and one more at a sequence's start."""

    program = ""

    def run_sequences(self, strategy):
        model = SHARED / "models" / "qa" / "simple_sequence.onnx"
        server = Server(self.program, {"sequence": SEQUENCE.replace("STRATEGY", strategy)}, "--exit-on-error=false")
        server.files = {"sequence/1/model.onnx": model}
        with server:
            for library, port in ((tritonclient.http, server.http_port), (tritonclient.grpc, server.grpc_port)):
                with library.InferenceServerClient(f"127.0.0.1:{port}") as client:
                    self.check(library, client)

    def check(self, library, client):
        def infer(value, sequence, **flags):
            tensor = library.InferInput("INPUT", [1, 1], "INT32")
            tensor.set_data_from_numpy(np.full((1, 1), value, np.int32))
            return client.infer("sequence", [tensor], sequence_id=sequence, **flags).as_numpy("OUTPUT")[0, 0]

        for step, value in enumerate([11, 7, 5, 3, 2, 0, 1]):
            flags = {"sequence_start": step == 0, "sequence_end": step == 6}
            for sequence in (1001, "camera-2"):
                self.assertEqual(infer(value, sequence, **flags), value + (step == 0))
        with self.assertRaisesRegex(InferenceServerException, "must specify the START flag"):
            infer(1, 1001)
        with self.assertRaisesRegex(InferenceServerException, "non-zero or non-empty correlation ID"):
            infer(1, 0)

    def test_direct(self):
        self.run_sequences("direct { }")

    def test_oldest(self):
        self.run_sequences("oldest { max_candidate_sequences: 4 }")


EXAMPLES = ROOT / "Examples" / "people_detection"
DETECTOR = EXAMPLES / "model_repository_3" / "pedestrian_ssdlite"
PICTURE = ROOT / ".deps" / "images" / "bus.jpg"


@unittest.skipUnless((DETECTOR / "1" / "model.pb").exists() and PICTURE.exists(), "the demo's model is not there")
class People(unittest.TestCase):
    """The example's ensemble: JPEG in, people out."""

    program = ""

    def test_people(self):
        models = {name: EXAMPLES / "ensemble" / name for name in ("people", "decode_picture", "people_boxes")}
        with Server(self.program, {"pedestrian_ssdlite": DETECTOR, **models}) as server:
            status, headers, body = server.request(
                "POST", "/v2/models/people/infer", PICTURE.read_bytes(), {"Inference-Header-Content-Length": "0"}
            )
            self.assertEqual(status, 200, body)
            outputs = self.values(body, int(headers["Inference-Header-Content-Length"]))
            count = outputs["count"][0]
            self.assertGreaterEqual(count, 2)
            for index in range(count):
                left, top, right, bottom = outputs["boxes"][4 * index : 4 * index + 4]
                self.assertTrue(0 <= left < right <= 810 and 0 <= top < bottom <= 1080, outputs["boxes"][:16])
                self.assertGreaterEqual(outputs["scores"][index], 0.5)
            self.assertEqual(outputs["scores"][count:], [0] * (100 - count))
            status, _, body = server.request(
                "POST", "/v2/models/people/infer", b"no picture", {"Inference-Header-Content-Length": "0"}
            )
            self.assertEqual(status, 400)
            self.assertIn("in ensemble 'people', step 0, model 'decode_picture'", json.loads(body)["error"])


    @staticmethod
    def values(body, head):
        """The outputs of an answer in binary data, by name."""
        outputs = {}
        for output in json.loads(body[:head])["outputs"]:
            size = output["parameters"]["binary_data_size"]
            code = {"FP32": "f", "INT32": "i"}[output["datatype"]]
            outputs[output["name"]] = list(struct.unpack(f"<{size // 4}{code}", body[head : head + size]))
            head += size
        return outputs


class Streams(unittest.TestCase):
    program = ""

    @classmethod
    def setUpClass(cls):
        cached = identity(["FP32"], lines='response_cache { enable: true } metric_tags { key: "team" value: "a" }')
        models = {"repeat": REPEAT, "fp32": identity(["FP32"]), "chain": CHAIN, "cached": cached,
                  "int32": identity(["INT32"], lines="instance_group { count: 3 }"), "pipeline": PIPELINE}  # fmt: skip
        cls.server = cls.enterClassContext(Server(cls.program, models, "--cache-config=local,size=1000000"))

    def stream(self, requests, model="repeat", **options):
        """All answers of a stream to requests with those numbers, as id, numbers, error and whether it is the last."""
        answers = queue.Queue()
        with tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{self.server.grpc_port}") as client:
            client.start_stream(lambda result, error: answers.put((result, error)))
            for name, values in requests.items():
                tensor = tritonclient.grpc.InferInput("IN", [len(values)], "INT32")
                tensor.set_data_from_numpy(np.array(values, np.int32))
                client.async_stream_infer(model, [tensor], request_id=name, **options)
            client.stop_stream()
        collected = []
        while not answers.empty():
            result, error = answers.get()
            if error:
                collected.append((None, None, str(error), True))
                continue
            response = result.get_response()
            final = response.parameters["triton_final_response"].bool_param
            outputs = result.as_numpy("OUT")
            collected.append((response.id, None if outputs is None else outputs.tolist(), None, final))
        return collected

    def test_none_one_and_many_responses(self):
        self.assertEqual(self.stream({"a": []}), [])
        self.assertEqual(self.stream({"a": [4]}), [("a", [4], None, False)])
        many = self.stream({"a": list(range(20))})
        self.assertEqual([values for _, values, _, _ in many], [[number] for number in range(20)])

    def test_the_end_where_the_client_asks_for_it(self):
        answers = self.stream({"a": [1, 2], "b": []}, enable_empty_final_response=True)
        of = {name: [each[1:] for each in answers if each[0] == name] for name in "ab"}
        self.assertEqual(of["a"], [([1], None, False), ([2], None, False), (None, None, True)])
        self.assertEqual(of["b"], [(None, None, True)])

    def test_statistics_of_responses(self):
        with tritonclient.http.InferenceServerClient(f"127.0.0.1:{self.server.http_port}") as client:
            before = client.get_inference_statistics("repeat")["model_stats"][0]["response_stats"]
            self.stream({"a": [1, 2]})
            after = client.get_inference_statistics("repeat")["model_stats"][0]["response_stats"]
        for index, kind in [("0", "success"), ("1", "success"), ("2", "empty_response")]:
            count = before.get(index, {}).get(kind, {"count": 0})["count"]
            self.assertEqual(after[index][kind]["count"], count + 1)

    def test_calls_with_one_answer_refuse(self):
        for library, port, status in (
            (tritonclient.http, self.server.http_port, "501"),
            (tritonclient.grpc, self.server.grpc_port, "StatusCode.UNIMPLEMENTED"),
        ):
            with library.InferenceServerClient(f"127.0.0.1:{port}") as client:
                tensor = library.InferInput("IN", [1], "INT32")
                tensor.set_data_from_numpy(np.ones(1, np.int32))
                with self.assertRaisesRegex(InferenceServerException, "decoupled transaction policy") as caught:
                    client.infer("repeat", [tensor])
                self.assertEqual(caught.exception.status(), status)

    def generate(self, model, verb, body):
        url = f"http://127.0.0.1:{self.server.http_port}/v2/models/{model}/{verb}"
        with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode())) as answer:
            return answer.read().decode()

    def test_generate_stream(self):
        text = self.generate("repeat", "generate_stream", {"IN": [3, 1, 2]})
        events = [json.loads(line.removeprefix("data: ")) for line in text.split("\n\n") if line]
        self.assertEqual([(event["OUT"], event["IDX"]) for event in events], [(3, 0), (1, 1), (2, 2)])
        self.assertEqual(json.loads(self.generate("repeat", "generate", {"IN": [7]}))["OUT"], 7)
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.generate("repeat", "generate", {"IN": [7, 8]})
        self.assertIn("exactly 1 response", caught.exception.read().decode())

    def test_a_client_that_goes_ends_the_work(self):
        client = tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{self.server.grpc_port}")
        first = threading.Event()
        client.start_stream(lambda result, error: first.set())
        values = tritonclient.grpc.InferInput("IN", [1000], "INT32")
        values.set_data_from_numpy(np.zeros(1000, np.int32))
        delays = tritonclient.grpc.InferInput("DELAY", [1000], "UINT32")
        delays.set_data_from_numpy(np.full(1000, 50, np.uint32))
        client.async_stream_infer("repeat", [values, delays])
        self.assertTrue(first.wait(30))
        client.stop_stream(cancel_requests=True)
        client.close()
        # The one instance is free again at once, and not after fifty seconds.
        self.assertEqual(len(self.stream({"a": [1]})), 1)

    def responses_of_repeat(self):
        model = json.loads(self.server.get("/v2/models/repeat/stats")[2])["model_stats"][0]
        return sum(each["success"]["count"] for each in model["response_stats"].values())

    def check_that_the_model_waits(self, start, count):
        """The model, which has that many responses to give, begins, and stops before it has given all."""
        before, after = start, start
        while before < after or after == start:
            time.sleep(0.5)
            before, after = after, self.responses_of_repeat()
        self.assertLess(after, start + count)

    def test_a_client_that_does_not_read(self):
        count = 300_000
        start = self.responses_of_repeat()
        with self.server.connect() as connection:
            body = json.dumps({"IN": [0] * count}).encode()
            head = f"POST /v2/models/repeat/generate_stream HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            self.check_that_the_model_waits(start, count)
        # The one instance is free again at once.
        self.assertEqual(len(self.stream({"a": [1]})), 1)

        start = self.responses_of_repeat()
        request = service_pb2.ModelInferRequest(model_name="repeat", raw_input_contents=[bytes(4 * count)])
        request.inputs.add(name="IN", datatype="INT32", shape=[count])
        with grpc.insecure_channel(f"127.0.0.1:{self.server.grpc_port}") as channel:
            method = channel.stream_stream(
                "/inference.GRPCInferenceService/ModelStreamInfer", request_serializer=type(request).SerializeToString
            )
            call = method(iter([request]))
            self.check_that_the_model_waits(start, count)
            call.cancel()
        self.assertEqual(len(self.stream({"a": [1]})), 1)

    def test_ensemble_with_a_decoupled_step(self):
        many = self.stream({"a": list(range(200, 0, -1))}, "pipeline")
        self.assertEqual([values for _, values, _, _ in many], [[number] for number in range(200, 0, -1)])
        ends = self.stream({"a": [5], "b": []}, "pipeline", enable_empty_final_response=True)
        of = {name: [each[1:] for each in ends if each[0] == name] for name in "ab"}
        self.assertEqual(of, {"a": [([5], None, False), (None, None, True)], "b": [(None, None, True)]})
        text = self.generate("pipeline", "generate_stream", {"IN": [3, 1, 2]})
        events = [json.loads(line.removeprefix("data: ")) for line in text.split("\n\n") if line]
        self.assertEqual([(event["OUT"], event["IDX"]) for event in events], [(3, 0), (1, 1), (2, 2)])
        config = json.loads(self.server.get("/v2/models/pipeline/config")[2])
        self.assertTrue(config["model_transaction_policy"]["decoupled"])
        body = json.dumps({"inputs": [{"name": "IN", "datatype": "INT32", "shape": [1], "data": [1]}]}).encode()
        self.assertEqual(self.server.request("POST", "/v2/models/pipeline/infer", body)[0], 501)

    def test_ensemble_tells_the_sequence(self):
        tensor = {"name": "IN", "datatype": "FP32", "shape": [1, 1], "data": [1]}
        body = {"parameters": {"sequence_id": 7, "sequence_start": True}, "inputs": [tensor]}
        answer = json.loads(self.server.request("POST", "/v2/models/chain/infer", json.dumps(body).encode())[2])
        expected = {"sequence_id": 7, "sequence_start": True, "sequence_end": False}
        self.assertEqual(answer["parameters"], expected)
        with tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{self.server.grpc_port}") as client:
            value = tritonclient.grpc.InferInput("IN", [1, 1], "FP32")
            value.set_data_from_numpy(np.ones((1, 1), np.float32))
            parameters = client.infer("chain", [value], sequence_id="eyes", sequence_end=True).get_response().parameters
        self.assertEqual(parameters["sequence_id"].string_param, "eyes")
        self.assertEqual((parameters["sequence_start"].bool_param, parameters["sequence_end"].bool_param), (False, True))

    def test_ensemble(self):
        with tritonclient.http.InferenceServerClient(f"127.0.0.1:{self.server.http_port}") as client:
            tensor = tritonclient.http.InferInput("IN", [2, 3], "FP32")
            values = np.arange(6, dtype=np.float32).reshape(2, 3)
            tensor.set_data_from_numpy(values)
            np.testing.assert_array_equal(client.infer("chain", [tensor]).as_numpy("OUT"), values)
            config = client.get_model_config("chain")
            self.assertEqual([step["model_name"] for step in config["ensemble_scheduling"]["step"]], ["fp32", "fp32"])
            self.assertEqual(client.get_model_metadata("chain")["platform"], "ensemble")

    def test_cache(self):
        with tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{self.server.grpc_port}") as client:
            for value in (1, 2, 1, 1):
                tensor = tritonclient.grpc.InferInput("INPUT0", [1, 2], "FP32")
                tensor.set_data_from_numpy(np.full((1, 2), value, np.float32))
                answer = client.infer("cached", [tensor], request_id=str(value))
                self.assertEqual((answer.get_response().id, answer.as_numpy("OUTPUT0")[0, 0]), (str(value), value))
            statistics = client.get_inference_statistics("cached", as_json=True)["model_stats"][0]
        counts = {name: int(statistics["inference_stats"][name]["count"]) for name in ("cache_hit", "cache_miss")}
        self.assertEqual(counts, {"cache_hit": 2, "cache_miss": 2})
        url = f"http://127.0.0.1:{self.server.metrics_port}/metrics"
        with urllib.request.urlopen(url) as answer:
            page = answer.read().decode()
        self.assertIn('nv_cache_num_hits_per_model{_team="a",model="cached",version="1"} 2', page)
        self.assertIn("halcyon_cache_entries 2", page)
