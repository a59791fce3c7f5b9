"""What Prometheus reads, against the families that Triton shows."""

import json
import re
import unittest
import urllib.request

from server import SHARED, Server, identity

RECORDED = SHARED / "wire" / "metrics.txt"
SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")


class Metrics(unittest.TestCase):
    program = ""

    @classmethod
    def setUpClass(cls):
        models = {"simple": identity(["FP32"], lines="dynamic_batching { }")}
        cls.server = cls.enterClassContext(Server(cls.program, models, "--metrics-config=histogram_latencies=true"))
        tensor = {"name": "INPUT0", "datatype": "FP32", "shape": [2, 1], "data": [1, 2]}
        for _ in range(3):
            cls.infer({"inputs": [tensor]})
        cls.infer({"inputs": []})
        with urllib.request.urlopen(f"http://127.0.0.1:{cls.server.metrics_port}/metrics") as response:
            cls.content_type = response.headers["Content-Type"]
            cls.text = response.read().decode()
        cls.samples = {}
        for line in cls.text.splitlines():
            if not line.startswith("#"):
                name, labels, value = SAMPLE.match(line).groups()
                cls.samples[name, labels or ""] = float(value)

    @classmethod
    def infer(cls, document):
        cls.server.request("POST", "/v2/models/simple/infer", json.dumps(document))

    def test_content_type(self):
        self.assertTrue(self.content_type.startswith("text/plain; version=0.0.4"), self.content_type)

    @unittest.skipUnless(RECORDED.is_file(), f"{RECORDED} is not there")
    def test_families_of_triton(self):
        lines = set(self.text.splitlines())
        keys = {f"{name}{{{labels}}}" if labels else name for name, labels in self.samples}
        for line in RECORDED.read_text().splitlines():
            if line.startswith("# TYPE"):
                self.assertIn(line, lines)
            else:
                self.assertIn(line.rsplit(" ", 1)[0], keys)

    def test_values(self):
        model = 'model="simple",version="1"'
        self.assertEqual(self.samples["nv_inference_request_success", model], 3)
        self.assertEqual(self.samples["nv_inference_count", model], 6)
        self.assertEqual(
            self.samples["nv_inference_request_failure", 'model="simple",reason="OTHER",version="1"'], 1)
        self.assertEqual(self.samples["halcyon_request_duration_seconds_count", model], 3)
        self.assertEqual(self.samples["nv_inference_pending_request_count", model], 0)

    def test_other_paths(self):
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{self.server.metrics_port}/v2")
        self.assertEqual(caught.exception.code, 404)
