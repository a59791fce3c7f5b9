"""gRPC calls that end, wait and misbehave: each concerns its own stream, and silence is no way to stay."""

import socket
import struct
import time

from bodies import QUEUE, document, exchange, request
from http2 import CANCEL, END_HEADERS, END_STREAM, HEADERS, RST, Connection, frame, infer_message
from server import identity
from target import AttackTest, long_only, resources

METHODS = (
    "ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelConfig", "ModelStatistics",
    "RepositoryIndex", "SystemSharedMemoryStatus", "TraceSetting", "LogSettings", "ModelInfer",
)  # fmt: skip


class Calls(AttackTest):
    def test_a_call_that_is_cancelled_behind_its_end_ends_alone(self):
        server = self.serve()

        def attack():
            for method in METHODS:
                for _ in range(3):
                    with Connection(server) as connection:
                        cancelled = frame(RST, 0, 1, struct.pack(">I", CANCEL))
                        connection.send(connection.call(1, method) + cancelled + connection.call(3, "ServerLive"))
                        self.assertEqual((connection.answer(3) or {}).get("grpc-status"), "0", method)

        self.beside(server, attack)

    def test_a_deadline_is_a_deadline(self):
        server = self.serve(waiting=identity(["FP32"], lines=QUEUE))
        call = infer_message("waiting", [("INPUT0", "FP32", [1, 1])], [bytes(4)])

        def attack():
            with Connection(server) as connection:
                connection.send(connection.call(1, "ModelInfer", call, ("grpc-timeout", "200m")))
                return connection.answer(1)

        answer = self.beside(server, attack)
        # DEADLINE_EXCEEDED
        self.assertEqual(answer.get("grpc-status"), "4", answer)

    def test_a_malformed_stream_ends_alone(self):
        server = self.serve()

        def attack():
            with Connection(server) as connection:
                good = connection.call(1, "ServerLive")
                connection.send(good)
                self.assertEqual((connection.answer(1) or {}).get("grpc-status"), "0")
                # A content-length that is not the body's, and a header in capitals.
                for stream, headers in ((3, [("content-length", "9999")]), (5, [("Upper-Case", "1")])):
                    connection.send(connection.call(stream, "ServerLive", b"", *headers))
                    self.assertIsNotNone(connection.answer(stream), f"the connection ended with stream {stream}")
                connection.send(connection.call(7, "ServerLive"))
                self.assertEqual((connection.answer(7) or {}).get("grpc-status"), "0")

        self.beside(server, attack)

    @long_only
    def test_tables_of_headers_do_not_grow(self):
        server = self.serve()
        # SETTINGS_HEADER_TABLE_SIZE
        settings = struct.pack(">HI", 1, 1 << 30)

        def attack():
            with Connection(server, settings) as connection:
                for index in range(4000):
                    stream = 2 * index + 1
                    name = f"{index:06}" + "x" * 6000
                    connection.send(connection.call(stream, "ModelMetadata", infer_message(name, [])))
                    connection.answer(stream)
                    connection.decoder.header_table.maxsize = 4096
                return resources(server)["memory"]

        before = resources(server)["memory"]
        self.assertLess(self.beside(server, attack, times=100) - before, 48, "MiB for one connection's headers")


class Silence(AttackTest):
    def test_connections_that_say_nothing_are_closed(self):
        server = self.serve("--http-idle-timeout-secs=2")
        before = resources(server)
        # gRPC's own limit has no flag: 20 s.
        ports = [server.http_port] if self.is_short else [server.http_port, server.grpc_port]
        for port in ports:
            connections = [socket.create_connection(("127.0.0.1", port), timeout=40) for _ in range(50)]
            for connection in connections:
                # What the server says before it closes, as its settings, does not matter.
                while connection.recv(4096):
                    pass
                connection.close()
        self.assert_as_before(server, before)

    def test_half_closed_connections_cost_nothing(self):
        server = self.serve(waiting=identity(["FP32"], lines=QUEUE.replace("5000000", "60000000")))
        body = request("waiting", document("1,1"))
        before = resources(server)
        connections = []
        for _ in range(100 if self.is_short else 400):
            connection = socket.create_connection(("127.0.0.1", server.http_port))
            connection.sendall(body)
            connection.shutdown(socket.SHUT_WR)
            connections.append(connection)
        time.sleep(1)
        self.assert_at_rest(server)
        for connection in connections:
            connection.close()
        self.assert_as_before(server, before)

    @long_only
    def test_a_header_that_never_ends_is_given_up(self):
        server = self.serve("--http-idle-timeout-secs=2", "--http-body-timeout-secs=2")
        with socket.create_connection(("127.0.0.1", server.http_port), timeout=20) as connection:
            connection.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: a\r\nX: ")
            begun = time.monotonic()
            try:
                while connection.recv(4096):
                    pass
            except ConnectionResetError:
                pass
            self.assertLess(time.monotonic() - begun, 15)


class Texts(AttackTest):
    @long_only
    def test_a_sequence_id_of_megabytes_is_refused(self):
        server = self.serve()
        body = document("1,1").replace(b'{"inputs"', b'{"parameters":{"sequence_id":"' + b"x" * 20_000_000 + b'"},"inputs"')
        data = request("innocent", body)
        status, answer = self.beside(server, lambda: exchange(server, data))
        self.assertIn(status, (400, 413), answer[:200])


class Frames(AttackTest):
    def test_headers_of_a_stream_in_many_pieces(self):
        """CONTINUATION frames that never end a header are cut off."""
        server = self.serve()

        def attack():
            with Connection(server, timeout=10) as connection:
                connection.send(frame(HEADERS, 0, 1, connection.headers("ServerLive")))
                try:
                    for _ in range(20_000):
                        connection.send(frame(9, 0, 1, b"\x00\x01a\x01b" * 10))
                except OSError:
                    return True
                return connection.is_closed(5)

        self.assertTrue(self.beside(server, attack, 2.0), "the server took twenty thousand pieces of a header")

    def test_an_open_stream_costs_no_time(self):
        server = self.serve()
        with Connection(server) as connection:
            connection.send(frame(HEADERS, END_HEADERS, 1, connection.headers("ModelStreamInfer")))
            time.sleep(0.5)
            self.assert_at_rest(server)
            connection.send(frame(0, END_STREAM, 1))
            self.assertEqual((connection.answer(1) or {}).get("grpc-status"), "0")
