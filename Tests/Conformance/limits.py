"""One budget of bytes, a limit on every count, and no long work on an event loop: whoever asks for too much is told so, and
nobody else waits for it."""

import contextlib
import gzip
import json
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path

import grpc
import numpy
import tritonclient.grpc
import tritonclient.http
from server import Server, identity
from tritonclient.grpc import service_pb2, service_pb2_grpc

MIB = 1 << 20


def fp32(count):
    return {"inputs": [{"name": "INPUT0", "datatype": "FP32", "shape": [1, count], "data": [0] * count}]}


def post(path, body, *headers):
    lines = "".join(f"{header}\r\n" for header in headers)
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body


class Innocent:
    """Somebody who asks small questions meanwhile, and how long the answers took."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__).parent / "innocent.py", str(self.server.http_port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return self

    def __exit__(self, *_):
        output, _ = self.process.communicate("", timeout=60)
        self.p99, self.longest = (float(word) for word in output.split())


class Defaults(unittest.TestCase):
    """A server without any flag of the limits'."""

    program = ""

    @classmethod
    def setUpClass(cls):
        models = {"fp32": identity(["FP32"]), "bytes": identity(["STRING"], max_batch_size=0)}
        cls.server = cls.enterClassContext(Server(cls.program, models, "--allow-client-shm=true"))
        with Innocent(cls.server) as alone:
            time.sleep(1)
        # Where the machine is busy with other things, small questions take longer without anybody's doing.
        cls.bound = max(0.05, 3 * alone.p99)

    def test_tensors_behind_their_json_may_be_large(self):
        values = numpy.zeros([1, 70 * MIB // 4], numpy.float32)
        for library, port in ((tritonclient.http, self.server.http_port), (tritonclient.grpc, self.server.grpc_port)):
            client = library.InferenceServerClient(f"127.0.0.1:{port}")
            tensor = library.InferInput("INPUT0", values.shape, "FP32")
            tensor.set_data_from_numpy(values)
            answer = client.infer("fp32", [tensor]).as_numpy("OUTPUT0")
            self.assertEqual(answer.shape, values.shape)
            client.close()

    def test_json_and_raw_bodies_may_not(self):
        for header in ((), ("Inference-Header-Content-Length: 0",)):
            with self.server.connect() as connection:
                lines = "".join(f"{line}\r\n" for line in header)
                connection.sendall(
                    f"POST /v2/models/fp32/infer HTTP/1.1\r\nHost: x\r\nContent-Length: {70 * MIB}\r\n{lines}\r\n".encode()
                )
                self.assertIn(b"413", connection.recv(4096).split(b"\r\n")[0])

    def test_raw_binary_requests_are_answered_in_binary(self):
        body = numpy.array([1, 2], numpy.float32).tobytes()
        status, headers, answer = self.server.request(
            "POST", "/v2/models/fp32/infer", body, {"Inference-Header-Content-Length": "0"}
        )
        self.assertEqual(status, 200)
        length = int(headers["Inference-Header-Content-Length"])
        self.assertEqual(answer[length:], body)
        parameters = json.loads(answer[:length])["outputs"][0]["parameters"]
        self.assertEqual(parameters, {"binary_data_size": 8})

    def test_keys_of_shared_memory(self):
        for key in ("/", "///"):
            status, _, body = self.server.request(
                "POST", "/v2/systemsharedmemory/region/r/register", json.dumps({"key": key, "byte_size": 8})
            )
            self.assertEqual(status, 400)
            sentence = f"cannot register shared memory region 'r' - invalid shm key '{key}'"
            self.assertTrue(json.loads(body)["error"].startswith(sentence))
            client = tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{self.server.grpc_port}")
            with self.assertRaisesRegex(Exception, "invalid shm key"):
                client.register_system_shared_memory("r", key, 8)
            client.close()

    def test_long_work_holds_nobody_up(self):
        ones = ("[" + "1," * 5_999_999 + "1]").encode()
        dimensions = b'{"inputs":[{"name":"x","datatype":"FP32","shape":' + ones + b',"data":[1]}]}'
        numbers = b'{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,6000000],"data":' + ones + b"}]}"
        name = b'{"inputs":[{"name":"' + b"n" * (12 * MIB) + b'","datatype":"FP32","shape":[1],"data":[1]}]}'
        texts = b'{"inputs":[{"name":"INPUT0","datatype":"BYTES","shape":[3000000],"data":[' + b'"",' * 2_999_999 + b'""]}]}'
        cases = [("fp32", dimensions, 400), ("fp32", name, 400), ("fp32", numbers, None), ("bytes", texts, None)]
        with Innocent(self.server) as innocent:
            for model, body, status in cases:
                with self.server.connect() as connection:
                    connection.settimeout(120)
                    connection.sendall(
                        post(f"/v2/models/{model}/infer", gzip.compress(body, 1), "Content-Encoding: gzip"))
                    head = connection.recv(200)
                    if status:
                        self.assertIn(str(status).encode(), head.split(b"\r\n")[0])
        self.assertLess(innocent.p99, self.bound)

    def test_many_empty_messages_hold_nobody_up(self):
        with Innocent(self.server) as innocent, grpc.insecure_channel(f"127.0.0.1:{self.server.grpc_port}") as channel:
            stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            empty = service_pb2.ModelInferRequest()
            answers = stub.ModelStreamInfer(empty for _ in range(20_000))
            self.assertEqual(sum(1 for answer in answers if answer.error_message), 20_000)
        if "/debug/" in str(Path(self.program).resolve()):
            # A read of 64 KiB holds 4,700 frames of them, which the library takes apart at one go: 20 times as slowly
            # without optimisation. Of a release build the bound is asked.
            return
        self.assertLess(innocent.p99, self.bound)


class Budget(unittest.TestCase):
    """A server that holds little, and waits for slow clients for a second."""

    program = ""

    @classmethod
    def setUpClass(cls):
        models = {"fp32": identity(["FP32"])}
        cls.server = cls.enterClassContext(
            Server(
                cls.program, models, f"--max-inflight-bytes={40 * MIB}", "--http-write-timeout-secs=2",
                "--grpc-write-timeout-secs=2",
            )
        )  # fmt: skip

    def recovers(self):
        """Whether a request that needs most of the budget is served again."""
        body = gzip.compress(json.dumps(fp32(1_000_000)).encode())
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            status, _, _ = self.server.request("POST", "/v2/models/fp32/infer", body, {"Content-Encoding": "gzip"})
            if status == 200:
                return
            self.assertEqual(status, 503)
            time.sleep(0.1)
        self.fail("what clients did not take is kept")

    def test_answers_that_nobody_takes_count_until_they_are_dropped(self):
        body = gzip.compress(json.dumps(fp32(1_000_000)).encode())
        request = post("/v2/models/fp32/infer", body, "Content-Encoding: gzip")
        with contextlib.ExitStack() as stack:
            connections = []
            for _ in range(12):
                connection = stack.enter_context(socket.socket())
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.connect(("127.0.0.1", self.server.http_port))
                connection.sendall(request)
                connections.append(connection)
            heads = [connection.recv(12)[-3:] for connection in connections]
            self.assertIn(b"503", heads)
            # Others who need little are served.
            self.assertEqual(self.server.get("/v2/health/live")[0], 200)
            self.recovers()

    def test_calls_that_nobody_reads_end(self):
        message = service_pb2.ModelInferRequest(model_name="fp32")
        message.inputs.add(name="INPUT0", datatype="FP32", shape=[1, 1_000_000])
        message.raw_input_contents.append(bytes(4_000_000))
        options = [("grpc.max_receive_message_length", -1), ("grpc.http2.lookahead_bytes", 0)]
        with grpc.insecure_channel(f"127.0.0.1:{self.server.grpc_port}", options) as channel:
            stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            # A stream whose answers are not taken.
            stream = stub.ModelStreamInfer(message for _ in range(30))
            time.sleep(1)
            self.recovers()
            stream.cancel()

    def test_what_never_fits_is_too_large(self):
        with self.server.connect() as connection:
            connection.sendall(
                f"POST /v2/models/fp32/infer HTTP/1.1\r\nHost: x\r\nContent-Length: {41 * MIB}\r\n"
                "Inference-Header-Content-Length: 100\r\n\r\n".encode()
            )
            self.assertIn(b"413", connection.recv(4096).split(b"\r\n")[0])
