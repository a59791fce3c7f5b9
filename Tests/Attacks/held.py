"""What has always held, so that it stays so: oddities of HTTP, faults in frames, floods."""

import json
import socket
import struct

from bodies import exchange
from http2 import (
    ACK, CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PREFACE, PRIORITY, PUSH, RST,
    SETTINGS, WINDOW, Connection, frame,
)  # fmt: skip
from target import AttackTest

LIVE = "/v2/health/live"
HOST = "Host: a\r\n"
# What is sent, and the statuses that are right; 0 is a connection that ends without an answer.
ODDITIES = [
    (f"GET {LIVE} HTTP/1.1\r\n{HOST}\r\n", {200}),
    (f"GET {LIVE}? HTTP/1.1\r\n{HOST}\r\n", {200}),
    (f"GET http://a{LIVE} HTTP/1.1\r\n{HOST}\r\n", {200, 400, 404}),
    (f"GET //v2/health/live HTTP/1.1\r\n{HOST}\r\n", {400, 404}),
    (f"GET /v2/../v2/health/live HTTP/1.1\r\n{HOST}\r\n", {400, 404}),
    (f"GET /v2/models/%00/ready HTTP/1.1\r\n{HOST}\r\n", {400, 404}),
    (f"GET /v2/models/%zz/ready HTTP/1.1\r\n{HOST}\r\n", {400, 404}),
    (f"GET /v2/models/..%2f..%2fetc/config HTTP/1.1\r\n{HOST}\r\n", {400, 404}),
    (f"get {LIVE} HTTP/1.1\r\n{HOST}\r\n", {0, 400, 404, 405, 501}),
    (f"BREW {LIVE} HTTP/1.1\r\n{HOST}\r\n", {0, 400, 404, 405, 501}),
    (f"GET {LIVE} HTTP/3.0\r\n{HOST}\r\n", {0, 400, 505}),
    (f"GET {LIVE} HTTP/1.1 x\r\n{HOST}\r\n", {0, 400}),
    (f"GET  {LIVE} HTTP/1.1\r\n{HOST}\r\n", {0, 200, 400, 404}),
    (f"GET {LIVE} HTTP/1.1\r\n{HOST}X : y\r\n\r\n", {0, 400}),
    (f"GET {LIVE} HTTP/1.1\r\n{HOST} folded: y\r\n\r\n", {0, 200, 400}),
    (f"GET {LIVE} HTTP/1.1\r\n{HOST}: y\r\n\r\n", {0, 400}),
    (f"GET {LIVE} HTTP/1.1\r\n{HOST}X: \0\r\n\r\n", {0, 400}),
    (f"GET {LIVE} HTTP/1.1\r\n{HOST}Content-Length: -1\r\n\r\n", {0, 400}),
    (f"GET {LIVE} HTTP/1.1\r\n{HOST}Content-Length: 1, 2\r\n\r\n", {0, 400}),
    (f"POST /v2/repository/index HTTP/1.1\r\n{HOST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}", {0, 400}),
    (f"POST /v2/repository/index HTTP/1.1\r\n{HOST}Content-Length: 99999999999999999999\r\n\r\n", {0, 400, 413}),
    (f"POST /v2/repository/index HTTP/1.1\r\n{HOST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {0, 400}),
    (f"POST /v2/repository/index HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\n", {0, 400}),
    (f"POST /v2/repository/index HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n", {0, 400, 413}),
    (f"POST /v2/models/innocent/infer HTTP/1.1\r\n{HOST}Content-Length: 2\r\nContent-Encoding: brotli\r\n\r\n{{}}", {400, 415, 501}),
    (f"POST /v2/models/innocent/infer HTTP/1.1\r\n{HOST}Content-Length: 2\r\nContent-Encoding: gzip\r\n\r\n{{}}", {400}),
    (f"POST /v2/models/innocent/infer HTTP/1.1\r\n{HOST}Content-Length: 2\r\nInference-Header-Content-Length: 9\r\n\r\n{{}}", {400}),
    (f"POST /v2/models/innocent/infer HTTP/1.1\r\n{HOST}Content-Length: 2\r\nInference-Header-Content-Length: x\r\n\r\n{{}}", {400}),
    (f"GET {LIVE} HTTP/1.1\r\n{HOST}X: {'y' * 100_000}\r\n\r\n", {0, 400, 413, 431}),
    ("GET / HTTP/1.1\r\n" + HOST + "".join(f"X{i}: y\r\n" for i in range(5000)) + "\r\n", {0, 400, 404, 431}),
    ("\r\n" * 100_000, {0, 400}),
    ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", {0, 400}),
]  # fmt: skip
# Bodies of an inference, none of which is one.
BODIES = [
    b"[]", b"null", b"{}", b'{"inputs":{}}', b'{"inputs":[1]}', b'{"inputs":[{}]}', b"\xff\xfe{}", b"{" * 5000,
    b'{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,-1],"data":[1]}]}',
    b'{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,9223372036854775807],"data":[1]}]}',
    b'{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,4611686018427387904,4],"data":[1]}]}',
    b'{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,1e3],"data":[1]}]}',
    b'{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,1],"data":["1"]}]}',
    b'{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,1],"data":[1,2]}]}',
    b'{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,1],"data":[1]},{"name":"INPUT0","datatype":"FP32","shape":[1,1],"data":[1]}]}',
    b'{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,1],"data":[1]}],"outputs":[{"name":"no"}]}',
    b'{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,1],"parameters":{"binary_data_size":4}}]}',
    b'{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,1],"parameters":{"shared_memory_region":"r"}}]}',
]  # fmt: skip
# Frames that end a connection; none may do more.
FAULTS = [
    frame(DATA, 0, 1, b"x"), frame(DATA, END_STREAM, 0), frame(HEADERS, END_HEADERS, 0), frame(HEADERS, END_HEADERS, 2),
    frame(HEADERS, END_HEADERS | PADDED, 1, b"\xff"), frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff"),
    frame(CONTINUATION, END_HEADERS, 1), frame(PUSH, END_HEADERS, 1, bytes(4)), frame(RST, 0, 1, bytes(3)), frame(RST, 0, 0, bytes(4)),
    frame(SETTINGS, 0, 1), frame(SETTINGS, 0, 0, bytes(5)), frame(SETTINGS, ACK, 0, bytes(6)),
    frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 1 << 31)), frame(SETTINGS, 0, 0, struct.pack(">HI", 5, 1)),
    frame(PING, 0, 0, bytes(7)), frame(PING, 0, 1, bytes(8)), frame(WINDOW, 0, 0, bytes(4)),
    frame(WINDOW, 0, 0, struct.pack(">I", 0x7FFFFFFF)) * 2, frame(GOAWAY, 0, 1, bytes(8)), frame(PRIORITY, 0, 0, bytes(5)),
    struct.pack(">I", 1 << 23)[1:] + bytes([DATA, 0, 0, 0, 0, 1]),
]  # fmt: skip


class Held(AttackTest):
    def test_oddities_of_http(self):
        server = self.serve()

        def attack():
            for text, right in ODDITIES:
                status, answer = exchange(server, text.encode("latin-1"), 3)
                self.assertIn(status, right, (text[:200], answer[:200]))

        self.beside(server, attack)
        self.assert_lives(server)

    def test_bodies_that_are_no_inference(self):
        server = self.serve()

        def attack():
            for body in BODIES:
                status, _, answer = server.request("POST", "/v2/models/innocent/infer", body)
                self.assertIn(status, range(400, 500), (body[:200], answer))
                self.assertIn("error", json.loads(answer), body[:200])

        self.beside(server, attack)

    def test_faults_in_frames(self):
        server = self.serve()

        def attack():
            for fault in FAULTS:
                with Connection(server, timeout=3) as connection:
                    connection.send(fault)
                    connection.is_closed(0.2)
            with socket.create_connection(("127.0.0.1", server.grpc_port), timeout=3) as connection:
                connection.sendall(PREFACE[:-2] + b"xx" + bytes(100))

        self.beside(server, attack)
        self.assert_lives(server)

    def flood(self, pieces):
        server = self.serve()

        def attack():
            with Connection(server, timeout=5) as connection:
                try:
                    for piece in pieces(connection):
                        connection.send(piece)
                except OSError:
                    return
                connection.is_closed(0.5)

        self.beside(server, attack, 2.0)
        self.assert_lives(server)

    @property
    def rounds(self):
        return 40 if self.is_short else 400

    def test_a_flood_of_resets(self):
        def pieces(connection):
            for batch in range(self.rounds):
                streams = range(2 * 50 * batch + 1, 2 * 50 * (batch + 1), 2)
                reset = struct.pack(">I", CANCEL)
                yield b"".join(connection.call(each, "ServerLive") + frame(RST, 0, each, reset) for each in streams)

        self.flood(pieces)

    def test_a_flood_of_settings(self):
        self.flood(lambda _: (frame(SETTINGS, 0, 0) * 500 for _ in range(self.rounds)))

    def test_a_flood_of_pings(self):
        self.flood(lambda _: (frame(PING, 0, 0, bytes(8)) * 500 for _ in range(self.rounds)))

    def test_a_flood_of_empty_data(self):
        def pieces(connection):
            yield frame(HEADERS, END_HEADERS, 1, connection.headers("ModelStreamInfer"))
            for _ in range(self.rounds):
                yield frame(DATA, 0, 1) * 500

        self.flood(pieces)

    def test_a_flood_of_priorities(self):
        self.flood(lambda _: (b"".join(frame(PRIORITY, 0, 2 * i + 1, bytes(5)) for i in range(500)) for _ in range(self.rounds)))
