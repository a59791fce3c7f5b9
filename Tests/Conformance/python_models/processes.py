"""Processes of Python models that end, and what a server that was killed leaves behind."""

import json
import os
import signal
import unittest

import numpy as np
import tritonclient.grpc as grpcclient
import tritonclient.http as httpclient
from server import soon

from .support import ADD_SUB, HERE, REPEAT, TRIAL, WHY, PythonServer, what


@unittest.skipUnless(HERE, WHY)
class PythonProcessesThatEnd(unittest.TestCase):
    """The process of an instance ends: its requests are told, another takes its place, and nothing waits for it."""

    ENDINGS = {
        "exit": "has ended with status 3", "kill": "was ended by signal 9", "crash": "was ended by signal 11",
    }  # fmt: skip

    @classmethod
    def setUpClass(cls):
        models = {name: TRIAL for name in cls.ENDINGS}
        code = {name: "echo" for name in cls.ENDINGS}
        models.update(
            add_sub=ADD_SUB, pair=TRIAL.replace("count: 1", "count: 2"), repeat=REPEAT, caller=TRIAL, slow=TRIAL, breaks=TRIAL)
        code.update(add_sub="add_sub", pair="echo", repeat="repeat", caller="waiting", slow="slow", breaks="waiting")
        cls.server = PythonServer(cls.program, models, code, "--model-control-mode=explicit", "--load-model=*")
        cls.server.__enter__()
        cls.http = httpclient.InferenceServerClient(
            f"127.0.0.1:{cls.server.http_port}", network_timeout=120, connection_timeout=120, concurrency=8)

    @classmethod
    def tearDownClass(cls):
        cls.http.close()
        cls.server.__exit__(None, None, None)
        after = [name for name in os.listdir("/dev/shm") if f"halcyon_python_{cls.server.process.pid}_" in name]
        assert not after, f"{after} is left in /dev/shm"

    def ask(self, model, text="tell"):
        return json.loads(self.http.infer(model, what(text)).as_numpy("SAID")[0])

    def others_go_on(self):
        a = np.ones((1, 4), np.float32)
        tensors = []
        for name in ("INPUT0", "INPUT1"):
            tensor = httpclient.InferInput(name, [1, 4], "FP32")
            tensor.set_data_from_numpy(a)
            tensors.append(tensor)
        np.testing.assert_array_equal(self.http.infer("add_sub", tensors).as_numpy("OUTPUT0"), a + a)

    def test_a_model_that_ends_its_process(self):
        for model, words in self.ENDINGS.items():
            with self.subTest(model):
                before = self.ask(model)["pid"]
                with self.assertRaisesRegex(httpclient.InferenceServerException, f"its process {before} {words}"):
                    self.ask(model, model)
                self.others_go_on()
                # The next one waits for the instance that takes the place of the one that has gone.
                self.assertNotEqual(self.ask(model)["pid"], before)
                self.assertTrue(self.http.is_model_ready(model))

    def test_one_that_is_killed_while_it_has_nothing_to_do(self):
        pids = set()
        self.assertTrue(soon(lambda: pids.add(self.ask("pair")["pid"]) or len(pids) == 2 or self.both("pair", pids)))
        first = min(pids)
        os.kill(first, signal.SIGKILL)
        # What an instance has taken before it knows of it ends with it.
        self.assertTrue(soon(lambda: f"its process {first} was ended by signal 9" in self.server.text()))
        for _ in range(20):
            self.assertNotEqual(self.ask("pair")["pid"], first)
        # A Python process has to start for that, beside whatever else the machine does.
        self.assertTrue(soon(lambda: self.http.is_model_ready("pair"), 120))

    def both(self, model, pids):
        """Requests side by side, which no one instance answers alone."""
        calls = [self.http.async_infer(model, what("rest")) for _ in range(8)]
        pids.update(json.loads(call.get_result(timeout=120).as_numpy("SAID")[0])["pid"] for call in calls)
        return len(pids) == 2

    def test_one_that_ends_in_the_middle_of_its_responses(self):
        import queue

        answers = queue.Queue()
        with grpcclient.InferenceServerClient(f"127.0.0.1:{self.server.grpc_port}") as client:
            client.start_stream(lambda result, error: answers.put((result, error)))
            for count in (-2, 2):
                tensor = grpcclient.InferInput("IN", [1], "INT32")
                tensor.set_data_from_numpy(np.array([count], np.int32))
                client.async_stream_infer("repeat", [tensor], enable_empty_final_response=True)
                for index in range(2):
                    result, error = answers.get(timeout=120)
                    self.assertIsNone(error)
                    self.assertEqual(int(result.as_numpy("OUT")[0]), index * index)
                result, error = answers.get(timeout=120)
                if count < 0:
                    self.assertIn("has ended with status 5", str(error))
                else:
                    self.assertIsNone(error)
            client.stop_stream()

    def test_one_that_is_killed_while_it_calls_another(self):
        process = int(self.http.infer("caller", what("tell")).as_numpy("SAID")[0])
        call = self.http.async_infer("caller", what("call"))
        self.assertTrue(soon(lambda: self.busy("slow")))
        os.kill(process, signal.SIGKILL)
        with self.assertRaisesRegex(httpclient.InferenceServerException, "was ended by signal 9"):
            call.get_result(timeout=120)
        self.assertNotEqual(int(self.http.infer("caller", what("tell")).as_numpy("SAID")[0]), process)
        self.assertEqual(self.http.infer("caller", what("call")).as_numpy("SAID")[0], b"call")
        self.http.unload_model("caller")
        self.assertTrue(soon(lambda: not self.http.is_model_ready("caller")))
        self.http.load_model("caller")
        self.http.infer("caller", what("tell"))

    def busy(self, model):
        """Whether one of a model's instances executes."""
        import urllib.request

        page = urllib.request.urlopen(f"http://127.0.0.1:{self.server.metrics_port}/metrics").read().decode()
        return any(
            line.startswith(f'halcyon_instances_busy{{model="{model}"') and float(line.split()[-1]) == 1
            for line in page.splitlines())

    def test_one_that_can_not_be_replaced(self):
        process = int(self.http.infer("breaks", what("tell")).as_numpy("SAID")[0])
        flag = self.server.folder / "models" / "breaks" / "broken"
        flag.touch()
        os.kill(process, signal.SIGKILL)
        self.assertTrue(soon(lambda: "instance can't be replaced" in self.server.text()), self.server.text())
        self.assertIn("this model is broken", self.server.text())
        self.assertFalse(self.http.is_model_ready("breaks"))
        self.http.unload_model("breaks")
        flag.unlink()
        self.http.load_model("breaks")
        self.http.infer("breaks", what("tell"))


@unittest.skipUnless(HERE, WHY)
class PythonServerKilled(unittest.TestCase):
    def test_nothing_stays_after_the_next_start(self):
        server = PythonServer(self.program, {"add_sub": ADD_SUB}, {"add_sub": "add_sub"})
        server.start()
        server.wait_until_ready()
        mark = f"halcyon_python_{server.process.pid}_"
        self.assertTrue([name for name in os.listdir("/dev/shm") if mark in name])
        server.process.kill()
        server.process.wait()
        server.end()
        with PythonServer(self.program, {"add_sub": ADD_SUB}, {"add_sub": "add_sub"}) as second:
            self.assertTrue(soon(lambda: not [name for name in os.listdir("/dev/shm") if mark in name]))
            self.assertIsNone(second.process.poll())
