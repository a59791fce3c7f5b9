"""Python models through Triton's own Python backend, which loads as it is."""

import json
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
import unittest
from pathlib import Path

import numpy as np
import tritonclient.grpc as grpcclient
import tritonclient.http as httpclient

from server import BACKENDS, ROOT, Server

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

SPEAKER = """backend: "python"
model_transaction_policy { decoupled: True }
input [ { name: "PLAN" data_type: TYPE_STRING dims: [ 1 ] } ]
output [ { name: "OUT" data_type: TYPE_INT32 dims: [ 1 ] } ]
instance_group [ { count: 1 kind: KIND_CPU } ]
"""

SPEAKER_PY = """
import numpy as np
import triton_python_backend_utils as pb_utils

FINAL = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL


class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            plan = pb_utils.get_input_tensor_by_name(request, "PLAN").as_numpy()[0].decode()
            sender = request.get_response_sender()
            for place, step in enumerate(plan):
                if step == "x":
                    raise ValueError("this model has had enough")
                if step in "rR":
                    response = pb_utils.InferenceResponse(
                        output_tensors=[pb_utils.Tensor("OUT", np.array([place], np.int32))])
                elif step in "eE":
                    response = pb_utils.InferenceResponse(
                        error=pb_utils.TritonError(f"no {place}", pb_utils.TritonError.NOT_FOUND))
                if step == "F":
                    sender.send(flags=FINAL)
                else:
                    sender.send(response, FINAL if step.isupper() else 0)
        return None
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

# With `set_release_flags` a request comes again. What it says of itself is how often it was here before.
ITERATIVE_PY = """
import json
import numpy as np
import triton_python_backend_utils as pb_utils

FINAL = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL


class TritonPythonModel:
    def initialize(self, args):
        self.is_decoupled = pb_utils.using_decoupled_model_transaction_policy(json.loads(args["model_config"]))
        self.seen = {}

    def execute(self, requests):
        responses = []
        for request in requests:
            steps, start, correlation = [
                int(pb_utils.get_input_tensor_by_name(request, name).as_numpy().ravel()[0])
                for name in ("STEPS", "START", "CORRID")]
            before = 0 if start else self.seen[correlation]
            said = [before, start, request.flags(), request.correlation_id() == correlation]
            response = pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("SAID", np.array([said], np.int32))])
            is_last = before + 1 >= steps
            self.seen[correlation] = before + 1
            if not is_last:
                request.set_release_flags(pb_utils.TRITONSERVER_REQUEST_RELEASE_RESCHEDULE)
            if self.is_decoupled:
                request.get_response_sender().send(response, FINAL if is_last else 0)
            else:
                responses.append(response if is_last else None)
        return None if self.is_decoupled else responses
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

# BF16 has no numpy type: the stub hands it on as DLPack, and says so of anything else.
BF16 = """backend: "python"
input [ { name: "IN" data_type: TYPE_BF16 dims: [ -1 ] } ]
output [
  { name: "OUT" data_type: TYPE_BF16 dims: [ -1 ] }, { name: "DOUBLED" data_type: TYPE_BF16 dims: [ -1 ] },
  { name: "SAID" data_type: TYPE_STRING dims: [ 1 ] }
]
instance_group [ { kind: KIND_CPU } ]
"""

BF16_PY = """
import ctypes
import numpy as np
import triton_python_backend_utils as pb_utils

# The head of DLManagedTensor: data, device type and number, dimensions, code, bits, lanes, shape.
HEAD = [
    ("data", ctypes.c_void_p), ("device", ctypes.c_int32 * 2), ("ndim", ctypes.c_int32), ("code", ctypes.c_uint8),
    ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16), ("shape", ctypes.POINTER(ctypes.c_int64))]


class Head(ctypes.Structure):
    _fields_ = HEAD


def head(capsule):
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return ctypes.cast(get(capsule, b"dltensor"), ctypes.POINTER(Head)).contents


class TritonPythonModel:
    def execute(self, requests):
        out = []
        for request in requests:
            tensor = pb_utils.get_input_tensor_by_name(request, "IN")
            try:
                said = str(tensor.as_numpy())
            except Exception as error:
                said = str(error)
            # A copy to compute with: doubling adds 1 to the exponent, which begins at bit 7.
            doubled = pb_utils.Tensor("DOUBLED", np.zeros(tensor.shape(), np.uint16)).to_dlpack()
            source, target = tensor.to_dlpack(), head(doubled)
            count = source and tensor.shape()[0]
            numbers = (ctypes.c_uint16 * count).from_address(head(source).data) if count else []
            results = (ctypes.c_uint16 * count).from_address(target.data) if count else []
            for index in range(count):
                results[index] = numbers[index] + (1 << 7)
            target.code = 4
            out.append(pb_utils.InferenceResponse(output_tensors=[
                pb_utils.Tensor.from_dlpack("OUT", source), pb_utils.Tensor.from_dlpack("DOUBLED", doubled),
                pb_utils.Tensor("SAID", np.array([said.encode()], np.object_))]))
        return out
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
            "speaker": SPEAKER, "iterative": ITERATIVE, "bf16": BF16,
            "not_iterative": ITERATIVE.replace("  iterative_sequence: true\n", ""),
            "steps": ITERATIVE.replace("max_b", "model_transaction_policy { decoupled: true }\nmax_b"),
        }  # fmt: skip
        code = {
            "add_sub": ADD_SUB_PY, "trial": ECHO_PY, "repeat": REPEAT_PY, "types": ALL_TYPES_PY, "completed": COMPLETED_PY,
            "speaker": SPEAKER_PY, "iterative": ITERATIVE_PY, "steps": ITERATIVE_PY, "not_iterative": ITERATIVE_PY, "bf16": BF16_PY,
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


PACKED_PY = """
import json
import sys
import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        try:
            import packed_marker
            said = packed_marker.WORD
        except ImportError:
            said = "not packed"
        text = np.array([json.dumps([said, sys.prefix]).encode()], np.object_)
        return [pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("SAID", text)]) for _ in requests]
"""


def in_environment(path):
    return f"""backend: "python"
input [ {{ name: "IN" data_type: TYPE_INT32 dims: [ 1 ] }} ]
output [ {{ name: "SAID" data_type: TYPE_STRING dims: [ 1 ] }} ]
instance_group [ {{ kind: KIND_CPU }} ]
parameters {{ key: "EXECUTION_ENV_PATH" value {{ string_value: "{path}" }} }}
"""


@unittest.skipUnless(HERE, WHY)
class PythonEnvironments(unittest.TestCase):
    """Models with an environment of their own (`EXECUTION_ENV_PATH`): a folder, or what conda-pack makes."""

    # What the stub's shell reads first; a packed one is unpacked where nobody can foretell.
    ACTIVATE = """VIRTUAL_ENV="$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")/.." && pwd)"
export VIRTUAL_ENV
export PATH="$VIRTUAL_ENV/bin:$PATH"
"""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="halcyon-environments-"))
        cls.own = cls.folder / "own"
        leave = shutil.ignore_patterns("PIL", "pillow*", "tests", "__pycache__")
        shutil.copytree(BACKENDS / "python" / "environment", cls.own, symlinks=True, ignore=leave)
        packages = next((cls.own / "lib").glob("python3.*")) / "site-packages"
        (packages / "packed_marker.py").write_text('WORD = "packed"\n')
        (cls.own / "bin" / "activate").write_text(cls.ACTIVATE)
        cls.archive = cls.folder / "own.tar.gz"
        with tarfile.open(cls.archive, "w:gz", compresslevel=1) as archive:
            for path in sorted(cls.own.iterdir()):
                archive.add(path, path.name)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def unpacked(self):
        return set(Path("/tmp").glob("python_env_*"))

    def said(self, server, model):
        tensor = httpclient.InferInput("IN", [1], "INT32")
        tensor.set_data_from_numpy(np.array([1], np.int32))
        client = httpclient.InferenceServerClient(f"127.0.0.1:{server.http_port}", network_timeout=120, connection_timeout=120)
        with client:
            return json.loads(client.infer(model, [tensor]).as_numpy("SAID")[0])

    def test_a_folder_and_an_archive_and_none(self):
        before = self.unpacked()
        models = {"folder": in_environment(self.own), "packed": in_environment(self.archive)}
        models["plain"] = in_environment("").replace("parameters", "#parameters")
        with PythonServer(self.program, models, {name: PACKED_PY for name in models}) as server:
            self.assertEqual(self.said(server, "folder"), ["packed", str(self.own)])
            word, prefix = self.said(server, "packed")
            self.assertEqual(word, "packed")
            self.assertTrue(prefix.startswith("/tmp/python_env_"), prefix)
            self.assertEqual(self.said(server, "plain")[0], "not packed")
        # What was unpacked goes with the server.
        self.assertEqual(self.unpacked() - before, set())

    def test_what_is_missing_or_broken_is_said(self):
        broken = self.folder / "broken.tar.gz"
        broken.write_bytes(self.archive.read_bytes()[:100_000])
        missing = self.folder / "missing.tar.gz"
        # One server each: the backend unpacks nothing more once an archive was broken.
        for path, words in ((missing, "Failed to get the canonical path"), (broken, "archive_read")):
            server = PythonServer(
                self.program, {"own": in_environment(path)}, {"own": PACKED_PY}, "--exit-on-error=false")  # fmt: skip
            server.start()
            try:
                self.assertTrue(soon(lambda: "model failed to load" in server.text()), server.text())
                line = next(line for line in server.text().splitlines() if "model failed to load" in line)
                self.assertIn(words, line)
                self.assertIn(f"with the environment '{path}' (EXECUTION_ENV_PATH)", line)
            finally:
                server.end()


SLOW_START_PY = """
import os
import time
import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        folder = os.path.join(args["model_repository"], "arrived")
        os.makedirs(folder, exist_ok=True)
        open(os.path.join(folder, args["model_instance_name"]), "w").close()
        deadline = time.monotonic() + 60
        while len(os.listdir(folder)) < 3:
            if time.monotonic() > deadline:
                raise RuntimeError("the other instances do not come")
            time.sleep(0.01)

    def execute(self, requests):
        return [
            pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("SAID", np.array([b"here"], np.object_))])
            for _ in requests]
"""


@unittest.skipUnless(HERE, WHY)
class PythonInstances(unittest.TestCase):
    def test_instances_start_at_the_same_time(self):
        text = in_environment("").replace("parameters", "#parameters").replace("kind: KIND_CPU", "count: 3 kind: KIND_CPU")
        with PythonServer(self.program, {"slow": text}, {"slow": SLOW_START_PY}) as server:
            with httpclient.InferenceServerClient(f"127.0.0.1:{server.http_port}", network_timeout=120) as client:
                tensor = httpclient.InferInput("IN", [1], "INT32")
                tensor.set_data_from_numpy(np.array([1], np.int32))
                self.assertEqual(client.infer("slow", [tensor]).as_numpy("SAID")[0], b"here")

    def test_without_groups_there_is_one_instance_on_the_processor(self):
        text = ADD_SUB.replace("instance_group [ { count: 1 kind: KIND_CPU } ]\n", "")
        with PythonServer(self.program, {"add_sub": text}, {"add_sub": ADD_SUB_PY}) as server:
            with httpclient.InferenceServerClient(f"127.0.0.1:{server.http_port}") as client:
                groups = client.get_model_config("add_sub")["instance_group"]
        self.assertEqual([(group["name"], group["kind"], group["count"]) for group in groups], [("add_sub", "KIND_CPU", 1)])


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
        # A Python process has to start for that, beside whatever else the machine does.
        self.assertTrue(soon(lambda: self.http.is_model_ready("pair"), 120))

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

    def test_a_library_that_lies_with_the_model_is_looked_at_where_that_is_allowed(self):
        with tempfile.TemporaryDirectory() as folder:
            library = Path(folder) / "library"
            library.write_bytes(b"no library at all" * 10)
            for flags, words in (
                ([], "libtriton_mine.so in the version's folder was not looked at, as it is code: --allow-model-backends has it loaded"),
                (["--allow-model-backends"], "other/1/libtriton_mine.so' is no complete library"),
            ):
                server = PythonServer(
                    self.program, {"other": 'backend: "mine"\n'}, {}, f"--backend-directory={folder}", *flags)  # fmt: skip
                server.files["other/1/libtriton_mine.so"] = library
                server.start()
                try:
                    self.assertTrue(soon(lambda: "model failed to load" in server.text()), server.text())
                    self.assertIn(words, server.text())
                    # The commands that look at models without a server agree.
                    command = [self.program, "lint", f"{server.folder}/models", f"--backend-directory={folder}", *flags]
                    said = subprocess.run(command, capture_output=True, text=True)
                    self.assertEqual(said.returncode, 1)
                    self.assertIn(words, said.stdout)
                finally:
                    server.process.kill()
                    server.process.wait()
                    server.end()

    @unittest.skipUnless(shutil.which("clang"), "no C compiler")
    def test_custom_batching_and_isolation_do_not_go_together(self):
        text = """backend: "mine"
max_batch_size: 2
input [ { name: "IN" data_type: TYPE_INT32 dims: [ 1 ] } ]
output [ { name: "OUT" data_type: TYPE_INT32 dims: [ 1 ] } ]
dynamic_batching { }
parameters { key: "isolation" value { string_value: "process" } }
"""
        sources = ROOT / "Tests" / "TritonInterfaceTests" / "Backends"
        with tempfile.TemporaryDirectory() as folder:
            backend = Path(folder) / "mine"
            backend.mkdir()
            for source, name, macro in (
                ("instances.c", "libtriton_mine.so", "TOGETHER=0"), ("strategy.c", "batchstrategy.so", f'REPORT="{folder}/report"'),
            ):  # fmt: skip
                subprocess.run(
                    ["clang", "-shared", "-fPIC", "-D_GNU_SOURCE", f"-I{ROOT}/Sources/CTriton/include", f"-D{macro}", "-o",
                     backend / name, sources / source, "-pthread"], check=True)  # fmt: skip
            server = PythonServer(self.program, {"other": text}, {}, f"--backend-directory={folder}")
            server.start()
            try:
                self.assertTrue(soon(lambda: "model failed to load" in server.text()), server.text())
                self.assertIn("a model with a library of custom batching can't be isolated", server.text())
            finally:
                server.process.kill()
                server.process.wait()
                server.end()

    def test_a_damaged_library_and_one_of_another_processor_are_named(self):
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
