"""Python models that call other models of their server."""

import json
import unittest

import tritonclient.http as httpclient
from server import soon

from .support import ADD_SUB, HERE, REPEAT, WHY, PythonServer, what

CALLER = """backend: "python"
input [ { name: "WHAT" data_type: TYPE_STRING dims: [ 1 ] } ]
output [ { name: "SAID" data_type: TYPE_STRING dims: [ 1 ] } ]
instance_group [ { count: 2 kind: KIND_CPU } ]
"""


@unittest.skipUnless(HERE, WHY)
class PythonCalls(unittest.TestCase):
    """Business logic: a model that calls other models of its server."""

    @classmethod
    def setUpClass(cls):
        models = {"add_sub": ADD_SUB, "repeat": REPEAT, "caller": CALLER, "spare": ADD_SUB}
        code = {"add_sub": "add_sub", "repeat": "repeat", "caller": "caller", "spare": "add_sub"}
        loads = [f"--load-model={name}" for name in ("add_sub", "repeat", "caller")]
        cls.server = PythonServer(cls.program, models, code, "--model-control-mode=explicit", *loads)
        cls.server.__enter__()
        cls.http = httpclient.InferenceServerClient(
            f"127.0.0.1:{cls.server.http_port}", network_timeout=120, connection_timeout=120, concurrency=8)

    @classmethod
    def tearDownClass(cls):
        cls.http.close()
        cls.server.__exit__(None, None, None)

    def call(self, text):
        return json.loads(self.http.infer("caller", what(text)).as_numpy("SAID")[0])

    def test_calls_wait_run_together_and_give_streams(self):
        self.assertEqual(self.call("wait"), [2, 2, 2, 2])
        self.assertEqual(self.call("together"), [[2 * n] * 4 for n in range(8)])
        self.assertEqual(self.call("stream"), [0, 1, 4])

    def test_calls_side_by_side(self):
        calls = [self.http.async_infer("caller", what("together")) for _ in range(8)]
        for call in calls:
            said = json.loads(call.get_result(timeout=120).as_numpy("SAID")[0])
            self.assertEqual(said, [[2 * n] * 4 for n in range(8)])

    def test_what_is_wrong_with_a_call_reaches_the_model(self):
        self.assertIn("nobody", self.call("nobody"))
        self.assertIn("add_sub", self.call("wrong"))

    def test_a_model_loads_and_unloads_another(self):
        self.assertEqual(self.call("control"), [False, True])
        self.assertTrue(soon(lambda: not self.http.is_model_ready("spare")))
