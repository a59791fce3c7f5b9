"""What a configuration says of batches and instances, as clients see it: ragged batches, rate limiters, metrics."""

import json
import threading
import unittest
from urllib.request import urlopen

from load import until
from server import ISOLATES, ROOT, Server, identity

MODEL = ROOT / ".deps" / "models" / "pedestrian_ssdlite" / "frozen_inference_graph.pb"

RAGGED = """
backend: "identity"
max_batch_size: 8
input { name: "INPUT0" data_type: TYPE_FP32 dims: -1 allow_ragged_batch: true }
output { name: "OUTPUT0" data_type: TYPE_FP32 dims: -1 }
batch_input { kind: BATCH_ELEMENT_COUNT target_name: "COUNT" data_type: TYPE_INT32 source_input: "INPUT0" }
batch_output { kind: BATCH_SCATTER_WITH_INPUT_SHAPE target_name: "OUTPUT0" source_input: "INPUT0" }
dynamic_batching { preferred_batch_size: 4 max_queue_delay_microseconds: 60000000 }
model_metrics {
  metric_control {
    metric_identifier { family: "nv_inference_first_response_histogram_ms" }
    histogram_options { buckets: [ 0.5, 120000 ] }
  }
}
"""


REPEATED = """backend: "repeat"
max_batch_size: 0
input [ { name: "IN" data_type: TYPE_INT32 dims: [ -1 ] },
        { name: "DELAY" data_type: TYPE_UINT32 dims: [ -1 ] optional: true } ]
output { name: "OUT" data_type: TYPE_INT32 dims: [ 1 ] }
model_transaction_policy { decoupled: true }
instance_group { count: 1 rate_limiter { priority: PRIORITY resources { name: "R" count: 1 } } }
"""


def limited(count, priority=1):
    return identity(
        ["FP32"],
        lines=f'instance_group {{ count: 2 rate_limiter {{ priority: {priority} resources {{ name: "R" count: {count} }} }} }}',
    )


def body(values, rows=1):
    tensor = {"name": "INPUT0", "datatype": "FP32", "shape": [rows, len(values) // rows], "data": values}
    return json.dumps({"inputs": [tensor]}).encode()


class Ragged(unittest.TestCase):
    program = ""

    def test_requests_of_different_shapes_share_a_batch(self):
        # Nothing runs before there are four items, and the delay is longer than the test: so they share one batch.
        requests = [body([1, 2, 3]), body([4, 5, 6, 7], rows=2), body([8])]
        answers = [None] * len(requests)
        with Server(self.program, {"ragged": RAGGED}, "--metrics-config=histogram_latencies=true") as server:

            def ask(index):
                answers[index] = json.loads(server.request("POST", "/v2/models/ragged/infer", requests[index])[2])

            threads = [threading.Thread(target=ask, args=[index]) for index in range(len(requests))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            outputs = [(answer["outputs"][0]["shape"], answer["outputs"][0]["data"]) for answer in answers]
            self.assertEqual(outputs, [([1, 3], [1, 2, 3]), ([2, 2], [4, 5, 6, 7]), ([1, 1], [8])])
            statistics = json.loads(server.get("/v2/models/ragged/stats")[2])["model_stats"][0]
            self.assertEqual((statistics["inference_count"], statistics["execution_count"]), (4, 1))
            configuration = json.loads(server.get("/v2/models/ragged/config")[2])
            self.assertTrue(configuration["input"][0]["allow_ragged_batch"])
            self.assertEqual(configuration["batch_input"][0]["source_input"], ["INPUT0"])
            page = urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics").read().decode()
            family = "nv_inference_first_response_histogram_ms_bucket"
            self.assertIn(f'{family}{{model="ragged",version="1",le="0.5"}}', page)
            self.assertIn(f'{family}{{model="ragged",version="1",le="120000"}} 3', page)


class Watchdog(unittest.TestCase):
    program = ""

    def test_an_instance_that_takes_too_long_is_replaced(self):
        example = ROOT / "Examples" / "people_detection" / "model_repository_1" / "pedestrian_ssdlite"
        text = (example / "config.pbtxt").read_text()
        text += '\nparameters { key: "execution_timeout_microseconds" value { string_value: "500" } }\n'
        tensor = {"name": "image_tensor", "datatype": "UINT8", "shape": [1, 300, 300, 3],
                  "parameters": {"binary_data_size": 270_000}}  # fmt: skip
        head = json.dumps({"inputs": [tensor]}).encode()
        headers = {"Inference-Header-Content-Length": str(len(head))}
        server = Server(self.program, {"pedestrian_ssdlite": text})
        server.files = {"pedestrian_ssdlite/1/model.pb": MODEL, "pedestrian_ssdlite/labels.txt": example / "labels.txt"}
        # A thread in the server can only be left hanging; a process of its own is ended.
        sentence, line = "has not answered for 500 µs and is given up", "instance is replaced"
        if ISOLATES:
            sentence, line = "as it had not answered for 500 µs", "worker process is replaced"
        with server:
            for _ in range(5):
                status, _, answer = server.request(
                    "POST", "/v2/models/pedestrian_ssdlite/infer", head + b"\x3c" * 270_000, headers)  # fmt: skip
                self.assertEqual(status, 503, answer)
                self.assertIn(sentence, json.loads(answer)["error"])
            self.assertTrue(until(lambda: server.get("/v2/models/pedestrian_ssdlite/ready")[0] == 200))
            self.assertIn(line, server.text())


class RateLimits(unittest.TestCase):
    program = ""

    def test_more_than_there_is(self):
        flags = ["--rate-limit=execution_count", "--rate-limit-resource=R:1", "--exit-on-error=false",
                 "--strict-readiness=false"]  # fmt: skip
        with Server(self.program, {"little": limited(1), "much": limited(2, priority=2)}, *flags) as server:
            answer = json.loads(server.request("POST", "/v2/models/little/infer", body([1, 2]))[2])
            self.assertEqual(answer["outputs"][0]["data"], [1, 2])
            index = json.loads(server.request("POST", "/v2/repository/index")[2])
            reasons = {each["name"]: each.get("reason", "") for each in index}
            self.assertIn('resource count for "R" is limited to 1', reasons["much"])
            self.assertEqual(reasons["little"], "")
            limiter = json.loads(server.get("/v2/models/little/config")[2])["instance_group"][0]["rate_limiter"]
            self.assertEqual(limiter["resources"], [{"name": "R", "global": False, "count": 1}])

    def test_off_unless_asked_for(self):
        with Server(self.program, {"much": limited(2)}, "--rate-limit-resource=R:1") as server:
            self.assertEqual(server.request("POST", "/v2/models/much/infer", body([1, 2]))[0], 200)
            self.assertIn("rate limiter is not acted on", server.text())

    def test_priorities_of_two_models(self):
        models = {name: REPEATED.replace("PRIORITY", priority) for name, priority in (("first", "1"), ("second", "2"))}
        with Server(self.program, models, "--rate-limit=execution_count") as server:
            threads = {name: [] for name in models}

            def work(name):
                for index in range(30):
                    body = json.dumps({"IN": [index], "DELAY": [3]}).encode()
                    status, _, answer = server.request("POST", f"/v2/models/{name}/generate", body)
                    self.assertEqual(status, 200, answer)

            for name in list(models) * 3:
                threads[name].append(threading.Thread(target=work, args=[name]))
            for thread in threads["first"] + threads["second"]:
                thread.start()
            for thread in threads["first"]:
                thread.join()
            # The first model has had twice as many turns.
            done = json.loads(server.get("/v2/models/second/stats")[2])["model_stats"][0]["inference_count"]
            self.assertTrue(30 <= done <= 65, done)
            for thread in threads["second"]:
                thread.join()

    def test_many_clients_share_one_unit(self):
        models = {f"m{priority}": limited(1, priority) for priority in (1, 2, 3)}
        with Server(self.program, models, "--rate-limit=execution_count", "--execution-timeout-secs=60") as server:
            statuses = []

            def work(name):
                for _ in range(50):
                    statuses.append(server.request("POST", f"/v2/models/{name}/infer", body([1, 2]))[0])

            threads = [threading.Thread(target=work, args=[name]) for name in models for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(statuses, [200] * 450)
