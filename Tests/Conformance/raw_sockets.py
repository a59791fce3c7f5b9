"""HTTP as no good client speaks it. After each case the server still answers others."""

import contextlib
import json
import socket
import unittest

import grpc
from server import Server, identity
from tritonclient.grpc import service_pb2, service_pb2_grpc


def request(body, path="/v2/models/fp32/infer", headers="", length=None):
    length = len(body) if length is None else length
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{headers}\r\n".encode() + body


def infer_body(values=(1, 2), data_type="FP32", **more):
    tensor = {"name": "INPUT0", "datatype": data_type, "shape": [1, len(values)], "data": list(values)}
    return json.dumps({"inputs": [tensor], **more}).encode()


class Reader:
    """Reads whole HTTP responses off a socket."""

    def __init__(self, connection):
        self.connection = connection
        self.buffer = b""

    def fill(self):
        data = self.connection.recv(65536)
        if not data:
            raise EOFError(self.buffer)
        self.buffer += data

    def response(self, has_body=True):
        while True:
            while b"\r\n\r\n" not in self.buffer:
                self.fill()
            head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
            lines = head.decode().split("\r\n")
            status = int(lines[0].split()[1])
            if status >= 200:
                break
        headers = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in lines[1:]}
        length = int(headers.get("content-length", 0)) if has_body else 0
        while len(self.buffer) < length:
            self.fill()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return status, headers, body


class RawSockets(unittest.TestCase):
    program = ""

    @classmethod
    def setUpClass(cls):
        models = {"fp32": identity(["FP32"]), "int8": identity(["INT8"])}
        cls.server = cls.enterClassContext(Server(cls.program, models, "--http-max-input-size=1000000",
                                                "--max-inflight-bytes=50000000"))

    def tearDown(self):
        self.assertEqual(self.server.get("/v2/health/live")[0], 200)

    def exchange(self, data, has_body=True):
        with self.server.connect() as connection:
            connection.sendall(data)
            return Reader(connection).response(has_body)

    def infer(self, body, path="/v2/models/fp32/infer", headers=""):
        status, _, answer = self.exchange(request(body, path, headers))
        return status, json.loads(answer)

    def test_pipelined_requests_are_answered_in_order(self):
        with self.server.connect() as connection:
            count = 50
            connection.sendall(b"".join(request(infer_body(id=str(index))) for index in range(count)))
            reader = Reader(connection)
            ids = [json.loads(reader.response()[2])["id"] for _ in range(count)]
            self.assertEqual(ids, [str(index) for index in range(count)])

    def test_client_that_does_not_read_is_not_served_without_end(self):
        body = infer_body([0.5] * 20000)
        with self.server.connect() as connection:
            connection.settimeout(2)
            sent = 0
            try:
                while sent < 4000:
                    connection.sendall(request(body))
                    sent += 1
            except TimeoutError:
                pass
            self.assertLess(sent, 4000, "the server went on reading, with nobody to take its answers")
            status, _, answer = Reader(connection).response()
            self.assertEqual((status, json.loads(answer)["outputs"][0]["shape"]), (200, [1, 20000]))

    def test_body_in_chunks_of_one_byte(self):
        body = infer_body()
        chunks = b"".join(b"1\r\n" + bytes([byte]) + b"\r\n" for byte in body) + b"0\r\n\r\n"
        head = b"POST /v2/models/fp32/infer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        status, _, answer = self.exchange(head + chunks)
        self.assertEqual(status, 200, answer)

    def test_request_in_pieces_of_one_byte(self):
        with self.server.connect() as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in request(infer_body()):
                connection.sendall(bytes([byte]))
            self.assertEqual(Reader(connection).response()[0], 200)

    def test_half_closed_connection_gets_its_answer(self):
        with self.server.connect() as connection:
            connection.sendall(request(infer_body()))
            connection.shutdown(socket.SHUT_WR)
            self.assertEqual(Reader(connection).response()[0], 200)

    def test_connection_that_ends_in_the_middle(self):
        for data in (b"POST /v2/mod", request(infer_body())[:-5], request(infer_body(), length=9999)):
            with self.server.connect() as connection:
                connection.sendall(data)

    def test_wrong_lengths(self):
        with self.server.connect() as connection:
            connection.sendall(request(infer_body(), length="x"))
            self.assertEqual(Reader(connection).response()[0], 400)
        status, answer = self.infer(infer_body() + b"x")
        self.assertEqual(status, 400, answer)

    def test_header_length_that_lies(self):
        body = infer_body()
        for value in ("-1", str(len(body) + 1), "99999999999999999999", "x", ""):
            status, answer = self.infer(body, headers=f"Inference-Header-Content-Length: {value}\r\n")
            self.assertEqual(status, 400, answer)
        status, answer = self.infer(body, headers="Inference-Header-Content-Length: 10\r\n")
        self.assertEqual(status, 400, answer)

    def test_binary_section_of_the_wrong_size(self):
        tensor = {"name": "INPUT0", "datatype": "FP32", "shape": [1, 2], "parameters": {"binary_data_size": 8}}
        head = json.dumps({"inputs": [tensor]}).encode()
        for binary, status in ((b"\0" * 8, 200), (b"\0" * 7, 400), (b"\0" * 9, 400), (b"", 400)):
            got, answer = self.infer(head + binary, headers=f"Inference-Header-Content-Length: {len(head)}\r\n")
            self.assertEqual(got, status, answer)

    def test_numbers_out_of_range(self):
        for value in (128, -129, 1e300, 1.5):
            status, answer = self.infer(infer_body([value], "INT8"), "/v2/models/int8/infer")
            self.assertEqual(status, 400, answer)
        for shape in ("[9223372036854775807,16]", "[4611686018427387904,4]", "[1,99999999999999999999]", "[1,-1]"):
            body = b'{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":' + shape.encode() + b',"data":[1]}]}'
            status, answer = self.infer(body)
            self.assertEqual(status, 400, answer)

    def test_deep_json(self):
        for body in (b"[" * 10000, b'{"a":' * 10000, b'{"inputs":' + b"[" * 10000 + b"]" * 10000 + b"}"):
            status, answer = self.infer(body)
            self.assertEqual(status, 400, answer)

    def test_invalid_utf8(self):
        status, answer = self.infer(b'{"id":"\xff\xfe","inputs":[]}')
        self.assertEqual(status, 400, answer)

    def test_old_http_and_head(self):
        status, headers, _ = self.exchange(b"GET /v2/health/live HTTP/1.0\r\n\r\n")
        self.assertEqual((status, headers["connection"]), (200, "close"))
        status, headers, _ = self.exchange(b"HEAD /v2 HTTP/1.1\r\nHost: x\r\n\r\n", has_body=False)
        self.assertEqual(status, 200)
        self.assertGreater(int(headers["content-length"]), 0)

    def test_wrong_methods_and_paths(self):
        for line, expected in ((b"PUT /v2", 405), (b"GET /v2/models/fp32/infer", 405), (b"GET /%%%", 404)):
            status, _, _ = self.exchange(line + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            self.assertEqual(status, expected)

    def test_no_http_at_all(self):
        status, _, answer = self.exchange(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
        self.assertEqual(status, 400, answer)

    def test_enormous_headers(self):
        with self.server.connect() as connection:
            try:
                connection.sendall(b"GET /v2 HTTP/1.1\r\nX: " + b"a" * 500_000 + b"\r\n\r\n")
                self.assertEqual(Reader(connection).response()[0], 431)
            except (ConnectionError, EOFError):
                pass

    def test_body_over_the_limit(self):
        status, _, answer = self.exchange(request(b"", length=1_000_001))
        self.assertEqual(status, 413)
        self.assertIn(
            "exceeds the maximum allowed value of 1000000 bytes, which --http-max-input-size sets",
            json.loads(answer)["error"],
        )

    def test_expect_continue(self):
        body = infer_body()
        with self.server.connect() as connection:
            head, _ = request(body, headers="Expect: 100-continue\r\n").split(b"\r\n\r\n", 1)
            connection.sendall(head + b"\r\n\r\n")
            self.assertEqual(connection.recv(100).split(b"\r\n")[0], b"HTTP/1.1 100 Continue")
            connection.sendall(body)
            self.assertEqual(Reader(connection).response()[0], 200)

    def test_a_client_that_wants_another_protocol_gets_its_answer_and_no_more(self):
        head = b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"
        with self.server.connect() as connection:
            connection.sendall(head)
            status, headers, _ = Reader(connection).response()
            self.assertEqual((status, headers["connection"]), (200, "close"))
            self.assertEqual(connection.recv(1), b"")

    def test_a_target_that_names_the_server(self):
        self.assertEqual(self.exchange(b"GET http://host/v2/health/live HTTP/1.1\r\nHost: host\r\n\r\n")[0], 200)

    def test_one_output_twice(self):
        status, answer = self.infer(infer_body(outputs=[{"name": "OUTPUT0"}] * 1000))
        self.assertEqual(status, 400)
        self.assertIn("'OUTPUT0' of model 'fp32' is asked for twice", answer["error"])

    def test_long_errors_fit_into_a_frame_of_grpc(self):
        with grpc.insecure_channel(f"127.0.0.1:{self.server.grpc_port}") as channel:
            stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            tensor = service_pb2.ModelInferRequest().InferInputTensor(name="INPUT0", datatype="X" * 20000, shape=[1])
            with self.assertRaises(grpc.RpcError) as caught:
                stub.ModelInfer(service_pb2.ModelInferRequest(model_name="fp32", inputs=[tensor]), timeout=10)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
            self.assertEqual(caught.exception.details(), "'datatype' may have at most 4096 bytes, got 20000")
            # Three characters in the header for each byte of these.
            with self.assertRaises(grpc.RpcError) as caught:
                stub.ModelInfer(service_pb2.ModelInferRequest(model_name="\u00e9" * 2000), timeout=10)
            self.assertTrue(caught.exception.details().endswith("..."))

    def test_no_http2_at_all(self):
        with socket.create_connection(("127.0.0.1", self.server.grpc_port), timeout=30) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n")
            while connection.recv(65536):
                pass

    def test_announcing_much_keeps_nobody_out(self):
        connections = [self.server.connect() for _ in range(100)]
        for connection in connections:
            connection.sendall(request(b"x", length=1_000_000))
        self.assertEqual(self.infer(infer_body())[0], 200)
        for connection in connections:
            connection.close()

    def test_compressed_bodies_that_are_none(self):
        for coding, expected in (("gzip", 400), ("deflate", 400), ("br", 415)):
            status, answer = self.infer(infer_body(), headers=f"Content-Encoding: {coding}\r\n")
            self.assertEqual(status, expected, answer)
