"""Python models through Triton's own Python backend, which loads as it is."""

import json
import os
import signal
import time
import unittest
from pathlib import Path

import numpy as np
import tritonclient.grpc as grpcclient
import tritonclient.http as httpclient

from server import BACKENDS, Server

HERE = (BACKENDS / "python" / "libtriton_python.so").is_file()
WHY = "Triton's Python backend is not there: Scripts/deps --python-models fetches it"

ADD_SUB = """backend: "python"
max_batch_size: 8
input [ { name: "INPUT0" data_type: TYPE_FP32 dims: [ 4 ] }, { name: "INPUT1" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "OUTPUT0" data_type: TYPE_FP32 dims: [ 4 ] }, { name: "OUTPUT1" data_type: TYPE_FP32 dims: [ 4 ] } ]
dynamic_batching { }
instance_group [ { count: 1 kind: KIND_CPU } ]
"""

ADD_SUB_PY = """
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        out = []
        for request in requests:
            a = pb_utils.get_input_tensor_by_name(request, "INPUT0").as_numpy()
            b = pb_utils.get_input_tensor_by_name(request, "INPUT1").as_numpy()
            out.append(pb_utils.InferenceResponse(
                output_tensors=[pb_utils.Tensor("OUTPUT0", a + b), pb_utils.Tensor("OUTPUT1", a - b)]))
        return out
"""

ECHO_PY = """
import ctypes
import json
import os
import sys
import time
import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        self.args = args
        self.family = pb_utils.MetricFamily(
            name="python_requests_total", description="requests of a Python model", kind=pb_utils.MetricFamily.COUNTER)
        self.metric = self.family.Metric(labels={"model": "trial", "kind": "a"})

    def execute(self, requests):
        out = []
        for request in requests:
            self.metric.increment(2)
            what = pb_utils.get_input_tensor_by_name(request, "WHAT").as_numpy()[0].decode()
            if what == "raise":
                raise ValueError("this model has had enough")
            if what == "error":
                out.append(pb_utils.InferenceResponse(error=pb_utils.TritonError(
                    "no such thing", pb_utils.TritonError.NOT_FOUND)))
                continue
            if what == "exit":
                os._exit(3)
            if what == "leave":
                sys.exit(4)
            if what == "kill":
                os.kill(os.getpid(), 9)
            if what == "crash":
                ctypes.string_at(0)
            if what == "log":
                pb_utils.Logger.log_warn("a line of the model's")
            if what == "rest":
                time.sleep(0.1)
            answer = {
                "id": request.request_id(), "correlation": request.correlation_id(), "flags": request.flags(),
                "timeout": request.timeout(), "parameters": json.loads(request.parameters()),
                "wanted": sorted(request.requested_output_names()), "name": self.args["model_name"],
                "instance": self.args["model_instance_name"], "kind": self.args["model_instance_kind"],
                "version": self.args["model_version"], "pid": os.getpid(),
            }
            text = np.array([json.dumps(answer).encode()], np.object_)
            out.append(pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("SAID", text)]))
        return out
"""

TRIAL = """backend: "python"
input [ { name: "WHAT" data_type: TYPE_STRING dims: [ 1 ] } ]
output [ { name: "SAID" data_type: TYPE_STRING dims: [ 1 ] } ]
instance_group [ { count: 1 kind: KIND_CPU } ]
"""

REPEAT = """backend: "python"
model_transaction_policy { decoupled: True }
input [ { name: "IN" data_type: TYPE_INT32 dims: [ 1 ] } ]
output [ { name: "OUT" data_type: TYPE_INT32 dims: [ 1 ] } ]
instance_group [ { count: 1 kind: KIND_CPU } ]
"""

REPEAT_PY = """
import os
import numpy as np
import threading
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            count = int(pb_utils.get_input_tensor_by_name(request, "IN").as_numpy()[0])
            sender = request.get_response_sender()
            # After `execute` has returned, too.
            threading.Thread(target=self.answer, args=(sender, count)).start()
        return None

    def answer(self, sender, count):
        for index in range(abs(count)):
            sender.send(pb_utils.InferenceResponse(
                output_tensors=[pb_utils.Tensor("OUT", np.array([index * index], np.int32))]))
        if count < 0:
            os._exit(5)
        sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
"""

CALLER = """backend: "python"
input [ { name: "WHAT" data_type: TYPE_STRING dims: [ 1 ] } ]
output [ { name: "SAID" data_type: TYPE_STRING dims: [ 1 ] } ]
instance_group [ { count: 2 kind: KIND_CPU } ]
"""

CALLER_PY = """
import asyncio
import json
import numpy as np
import triton_python_backend_utils as pb_utils


def add_sub(value, **options):
    a = np.full((1, 4), value, np.float32)
    return pb_utils.InferenceRequest(
        model_name="add_sub", requested_output_names=["OUTPUT0", "OUTPUT1"],
        inputs=[pb_utils.Tensor("INPUT0", a), pb_utils.Tensor("INPUT1", a)], **options)


def told(response):
    if response.has_error():
        return response.error().message()
    return pb_utils.get_output_tensor_by_name(response, "OUTPUT0").as_numpy().ravel().tolist()


class TritonPythonModel:
    async def execute(self, requests):
        return [await self.answer(request) for request in requests]

    async def answer(self, request):
        what = pb_utils.get_input_tensor_by_name(request, "WHAT").as_numpy()[0].decode()
        if what == "wait":
            said = told(add_sub(1).exec())
        elif what == "together":
            said = [told(answer) for answer in await asyncio.gather(*[add_sub(n).async_exec() for n in range(8)])]
        elif what == "stream":
            calls = pb_utils.InferenceRequest(
                model_name="repeat", requested_output_names=["OUT"], inputs=[pb_utils.Tensor("IN", np.array([3], np.int32))])
            said = [int(pb_utils.get_output_tensor_by_name(part, "OUT").as_numpy()[0])
                    for part in calls.exec(decoupled=True) if part.output_tensors()]
        elif what == "nobody":
            said = told(pb_utils.InferenceRequest(
                model_name="nobody", requested_output_names=["X"], inputs=[pb_utils.Tensor("X", np.zeros(1, np.int32))]).exec())
        elif what == "wrong":
            said = told(pb_utils.InferenceRequest(
                model_name="add_sub", requested_output_names=["OUTPUT0"],
                inputs=[pb_utils.Tensor("INPUT0", np.zeros((1, 4), np.int32))]).exec())
        elif what == "control":
            said = [pb_utils.is_model_ready("spare")]
            pb_utils.load_model(model_name="spare")
            said.append(pb_utils.is_model_ready("spare"))
            pb_utils.unload_model(model_name="spare")
        text = np.array([json.dumps(said).encode()], np.object_)
        return pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("SAID", text)])
"""

TYPES = ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "STRING"]

ALL_TYPES_PY = """
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [
            pb_utils.InferenceResponse(output_tensors=[
                pb_utils.Tensor("O" + tensor.name()[1:], tensor.as_numpy()) for tensor in request.inputs()])
            for request in requests]
"""

COMPLETED_PY = """
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        config.add_input({"name": "X", "data_type": "TYPE_FP32", "dims": [-1]})
        config.add_output({"name": "Y", "data_type": "TYPE_FP32", "dims": [-1]})
        config.set_max_batch_size(4)
        config.set_dynamic_batching()
        return config

    def execute(self, requests):
        return [
            pb_utils.InferenceResponse(output_tensors=[
                pb_utils.Tensor("Y", 2 * pb_utils.get_input_tensor_by_name(request, "X").as_numpy())])
            for request in requests]
"""


def all_types():
    inputs = ", ".join(f'{{ name: "I_{t}" data_type: TYPE_{t} dims: [ -1 ] }}' for t in TYPES)
    outputs = ", ".join(f'{{ name: "O_{t}" data_type: TYPE_{t} dims: [ -1 ] }}' for t in TYPES)
    return f'backend: "python"\ninput [ {inputs} ]\noutput [ {outputs} ]\ninstance_group [ {{ kind: KIND_CPU }} ]\n'


def soon(condition, seconds=120):
    """Waits for what must come to pass."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


class PythonServer(Server):
    """With the code of Python models by the model's name."""

    def __init__(self, program, models, code, *flags):
        super().__init__(program, models, *flags)
        self.code = code

    def start(self):
        folder = Path(os.environ.get("TMPDIR", "/tmp"))
        for name, text in self.code.items():
            file = folder / f"halcyon-{os.getpid()}-{name}.py"
            file.write_text(text)
            self.files[f"{name}/1/model.py"] = file
        super().start()


@unittest.skipUnless(HERE, WHY)
class PythonModels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        models = {
            "add_sub": ADD_SUB, "trial": TRIAL, "repeat": REPEAT, "types": all_types(), "completed": 'backend: "python"\n',
        }  # fmt: skip
        code = {
            "add_sub": ADD_SUB_PY, "trial": ECHO_PY, "repeat": REPEAT_PY, "types": ALL_TYPES_PY, "completed": COMPLETED_PY,
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

    def trial(self, what, client=None, **options):
        tensor = httpclient.InferInput("WHAT", [1], "BYTES")
        tensor.set_data_from_numpy(np.array([what.encode()], np.object_))
        return json.loads((client or self.http).infer("trial", [tensor], **options).as_numpy("SAID")[0])

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

    def test_a_configuration_that_the_model_completes(self):
        configuration = self.http.get_model_config("completed")
        self.assertEqual(configuration["max_batch_size"], 4)
        self.assertEqual(configuration["input"][0]["name"], "X")
        self.assertIn("dynamic_batching", configuration)
        tensor = httpclient.InferInput("X", [2, 3], "FP32")
        tensor.set_data_from_numpy(np.ones((2, 3), np.float32))
        np.testing.assert_array_equal(self.http.infer("completed", [tensor]).as_numpy("Y"), np.full((2, 3), 2, np.float32))


@unittest.skipUnless(HERE, WHY)
class PythonCalls(unittest.TestCase):
    """Business logic: a model that calls other models of its server."""

    @classmethod
    def setUpClass(cls):
        models = {"add_sub": ADD_SUB, "repeat": REPEAT, "caller": CALLER, "spare": ADD_SUB}
        code = {"add_sub": ADD_SUB_PY, "repeat": REPEAT_PY, "caller": CALLER_PY, "spare": ADD_SUB_PY}
        loads = [f"--load-model={name}" for name in ("add_sub", "repeat", "caller")]
        cls.server = PythonServer(cls.program, models, code, "--model-control-mode=explicit", *loads)
        cls.server.__enter__()
        cls.http = httpclient.InferenceServerClient(
            f"127.0.0.1:{cls.server.http_port}", network_timeout=120, connection_timeout=120, concurrency=8)

    @classmethod
    def tearDownClass(cls):
        cls.http.close()
        cls.server.__exit__(None, None, None)

    def tensor(self, what):
        tensor = httpclient.InferInput("WHAT", [1], "BYTES")
        tensor.set_data_from_numpy(np.array([what.encode()], np.object_))
        return [tensor]

    def call(self, what):
        return json.loads(self.http.infer("caller", self.tensor(what)).as_numpy("SAID")[0])

    def test_calls_wait_run_together_and_give_streams(self):
        self.assertEqual(self.call("wait"), [2, 2, 2, 2])
        self.assertEqual(self.call("together"), [[2 * n] * 4 for n in range(8)])
        self.assertEqual(self.call("stream"), [0, 1, 4])

    def test_calls_side_by_side(self):
        calls = [self.http.async_infer("caller", self.tensor("together")) for _ in range(8)]
        for call in calls:
            said = json.loads(call.get_result(timeout=120).as_numpy("SAID")[0])
            self.assertEqual(said, [[2 * n] * 4 for n in range(8)])

    def test_what_is_wrong_with_a_call_reaches_the_model(self):
        self.assertIn("nobody", self.call("nobody"))
        self.assertIn("add_sub", self.call("wrong"))

    def test_a_model_loads_and_unloads_another(self):
        self.assertEqual(self.call("control"), [False, True])
        self.assertTrue(soon(lambda: not self.http.is_model_ready("spare")))


WAITING_PY = """
import os
import time
import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        # Beside the model's versions: a test puts it there.
        if os.path.exists(os.path.join(args["model_repository"], "broken")):
            raise RuntimeError("this model is broken")

    def execute(self, requests):
        out = []
        for request in requests:
            what = pb_utils.get_input_tensor_by_name(request, "WHAT").as_numpy()[0].decode()
            said = str(os.getpid())
            if what == "call":
                answer = pb_utils.InferenceRequest(
                    model_name="slow", requested_output_names=["SAID"],
                    inputs=[pb_utils.get_input_tensor_by_name(request, "WHAT")]).exec()
                said = pb_utils.get_output_tensor_by_name(answer, "SAID").as_numpy()[0].decode()
            text = np.array([said.encode()], np.object_)
            out.append(pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("SAID", text)]))
        return out
"""

SLOW_PY = """
import time
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        time.sleep(3)
        return [
            pb_utils.InferenceResponse(output_tensors=[
                pb_utils.Tensor("SAID", pb_utils.get_input_tensor_by_name(request, "WHAT").as_numpy())])
            for request in requests]
"""


@unittest.skipUnless(HERE, WHY)
class PythonProcessesThatEnd(unittest.TestCase):
    """The process of an instance ends: its requests are told, another takes its place, and nothing waits for it."""

    ENDINGS = {
        "exit": "has ended with status 3", "kill": "was ended by signal 9", "crash": "was ended by signal 11",
    }  # fmt: skip

    @classmethod
    def setUpClass(cls):
        models = {name: TRIAL for name in cls.ENDINGS}
        code = {name: ECHO_PY for name in cls.ENDINGS}
        models.update(
            add_sub=ADD_SUB, pair=TRIAL.replace("count: 1", "count: 2"), repeat=REPEAT, caller=TRIAL, slow=TRIAL, breaks=TRIAL)
        code.update(add_sub=ADD_SUB_PY, pair=ECHO_PY, repeat=REPEAT_PY, caller=WAITING_PY, slow=SLOW_PY, breaks=WAITING_PY)
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

    def tensor(self, what):
        tensor = httpclient.InferInput("WHAT", [1], "BYTES")
        tensor.set_data_from_numpy(np.array([what.encode()], np.object_))
        return [tensor]

    def ask(self, model, what="tell"):
        return json.loads(self.http.infer(model, self.tensor(what)).as_numpy("SAID")[0])

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
        self.assertTrue(soon(lambda: self.http.is_model_ready("pair")))

    def both(self, model, pids):
        """Requests side by side, which no one instance answers alone."""
        calls = [self.http.async_infer(model, self.tensor("rest")) for _ in range(8)]
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
        process = int(self.http.infer("caller", self.tensor("tell")).as_numpy("SAID")[0])
        call = self.http.async_infer("caller", self.tensor("call"))
        self.assertTrue(soon(lambda: self.busy("slow")))
        os.kill(process, signal.SIGKILL)
        with self.assertRaisesRegex(httpclient.InferenceServerException, "was ended by signal 9"):
            call.get_result(timeout=120)
        self.assertNotEqual(int(self.http.infer("caller", self.tensor("tell")).as_numpy("SAID")[0]), process)
        self.assertEqual(self.http.infer("caller", self.tensor("call")).as_numpy("SAID")[0], b"call")
        self.http.unload_model("caller")
        self.assertTrue(soon(lambda: not self.http.is_model_ready("caller")))
        self.http.load_model("caller")
        self.http.infer("caller", self.tensor("tell"))

    def busy(self, model):
        """Whether one of a model's instances executes."""
        import urllib.request

        page = urllib.request.urlopen(f"http://127.0.0.1:{self.server.metrics_port}/metrics").read().decode()
        return any(
            line.startswith(f'halcyon_instances_busy{{model="{model}"') and float(line.split()[-1]) == 1
            for line in page.splitlines())

    def test_one_that_can_not_be_replaced(self):
        process = int(self.http.infer("breaks", self.tensor("tell")).as_numpy("SAID")[0])
        flag = self.server.folder / "models" / "breaks" / "broken"
        flag.touch()
        os.kill(process, signal.SIGKILL)
        self.assertTrue(soon(lambda: "instance can't be replaced" in self.server.text()), self.server.text())
        self.assertIn("this model is broken", self.server.text())
        self.assertFalse(self.http.is_model_ready("breaks"))
        self.http.unload_model("breaks")
        flag.unlink()
        self.http.load_model("breaks")
        self.http.infer("breaks", self.tensor("tell"))


@unittest.skipUnless(HERE, WHY)
class PythonServerKilled(unittest.TestCase):
    def test_nothing_stays_after_the_next_start(self):
        server = PythonServer(self.program, {"add_sub": ADD_SUB}, {"add_sub": ADD_SUB_PY})
        server.start()
        server.wait_until_ready()
        mark = f"halcyon_python_{server.process.pid}_"
        self.assertTrue([name for name in os.listdir("/dev/shm") if mark in name])
        server.process.kill()
        server.process.wait()
        server.end()
        with PythonServer(self.program, {"add_sub": ADD_SUB}, {"add_sub": ADD_SUB_PY}) as second:
            self.assertTrue(soon(lambda: not [name for name in os.listdir("/dev/shm") if mark in name]))
            self.assertIsNone(second.process.poll())


class MissingBackend(unittest.TestCase):
    def test_the_error_names_the_file_and_the_folders(self):
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            server = PythonServer(
                self.program, {"add_sub": ADD_SUB, "other": 'backend: "mine"\n'}, {"add_sub": ADD_SUB_PY},
                f"--backend-directory={folder}")  # fmt: skip
            server.start()
            try:
                self.assertTrue(soon(lambda: server.text().count("model failed to load") == 2), server.text())
                text = server.text()
                self.assertIn(f"libtriton_python.so was looked for in {folder}/python", text)
                self.assertIn("Scripts/deps --python-models", text)
                self.assertIn(f"libtriton_mine.so was looked for in {folder}/mine", text)
            finally:
                server.process.kill()
                server.process.wait()
                server.end()

    def test_a_damaged_library_and_one_of_another_processor_are_named(self):
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            backend = Path(folder) / "mine"
            backend.mkdir()
            library = backend / "libtriton_mine.so"
            source = BACKENDS / "openvino"
            real = sorted(source.glob("libopenvino_c.so*"))[0].read_bytes()
            for content, words in (
                (b"no library at all" * 10, "is no complete library: it does not begin as one"),
                (real[: len(real) // 2], "is no complete library"),
                (real[:18] + b"\x28\x00" + real[20:], "is a library for 32-bit ARM"),
            ):
                library.write_bytes(content)
                server = PythonServer(self.program, {"other": 'backend: "mine"\n'}, {}, f"--backend-directory={folder}")
                server.start()
                try:
                    self.assertTrue(soon(lambda: "model failed to load" in server.text()), server.text())
                    self.assertIn(words, server.text())
                    self.assertIn(str(library), server.text())
                finally:
                    server.process.kill()
                    server.process.wait()
                    server.end()
