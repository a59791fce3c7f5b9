"""How connections of both wires begin, go wrong and end."""

import http.client
import os
import signal
import socket
import tempfile
import threading
import time
import unittest
from pathlib import Path

import grpc
import numpy
import tritonclient.grpc
from http2 import ACK, DATA, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, Connection, call, call_fields, frame, headers
from raw_sockets import infer_body
from server import Server, identity

MODELS = {
    "fp32": identity(["FP32"]),
    # Waits for others before it runs.
    "late": identity(["FP32"], lines="dynamic_batching { max_queue_delay_microseconds: 1500000 }"),
}
NO_ERROR, CANCEL = 0, 8
HIGHEST_STREAM = 2**31 - 1


def infer_message(model):
    tensor = tritonclient.grpc.InferInput("INPUT0", [1, 2], "FP32")
    tensor.set_data_from_numpy(numpy.array([[1, 2]], numpy.float32))
    request = tritonclient.grpc._utils._get_inference_request(
        model_name=model, inputs=[tensor], model_version="", request_id="", outputs=None, sequence_id=0,
        sequence_start=False, sequence_end=False, priority=0, timeout=None, parameters=None,
    )  # fmt: skip
    return request.SerializeToString()


class Streams(unittest.TestCase):
    """What goes wrong with one stream of an HTTP/2 connection concerns that stream."""

    program = ""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server(cls.program, MODELS))

    def connect(self, settings=b""):
        return self.enterContext(Connection(self.server.grpc_port, settings))

    def test_reset_right_behind_the_end(self):
        reset = frame(RST_STREAM, 0, 1, CANCEL.to_bytes(4, "big"))
        for method in ("ServerLive", "ModelMetadata", "ModelStatistics", "ModelInfer", "RepositoryIndex", "LogSettings"):
            for attempt in range(5):
                with self.subTest(method, attempt=attempt), Connection(self.server.grpc_port) as connection:
                    connection.send(call(1, method) + reset)
                    connection.send(call(3, "ServerLive"))
                    self.assertTrue(connection.is_answered(3))

    def malformed(self, stream):
        """Ways to break a stream."""
        fields = call_fields("ServerLive")
        return [
            headers(stream, [field for field in fields if field[0] != ":path"]),
            headers(stream, [*fields, ("Upper-Case", "1")]),
            headers(stream, [*fields, ("connection", "close")]),
            headers(stream, [*fields, ("content-length", "7")]) + frame(DATA, END_STREAM, stream, bytes(5)),
            headers(stream, [*fields, ("content-length", "3")]) + frame(DATA, END_STREAM, stream, bytes(5)),
        ]

    def test_malformed_streams_are_reset(self):
        for index in range(len(self.malformed(1))):
            with self.subTest(index), Connection(self.server.grpc_port) as connection:
                connection.send(self.malformed(1)[index])
                self.assertEqual(connection.until(RST_STREAM, GOAWAY)[0], RST_STREAM)
                connection.send(call(3, "ServerLive"))
                self.assertTrue(connection.is_answered(3))

    def test_a_thousand_malformed_streams_cost_nobody_the_connection(self):
        connection = self.connect()
        for stream in range(1, 2001, 2):
            connection.send(self.malformed(stream)[1])
            self.assertEqual(connection.until(RST_STREAM, GOAWAY)[0], RST_STREAM)
        connection.send(call(2001, "ServerLive"))
        self.assertTrue(connection.is_answered(2001))

    def test_broken_connections_end_with_goaway(self):
        for index, broken in enumerate(
            [frame(DATA, 0, 1, b"x"), frame(HEADERS, 4, 1, b"\xff\xff\xff"), frame(PING, 0, 0, b"short")]
        ):
            with self.subTest(index):
                connection = self.connect()
                connection.send(broken)
                goaway = connection.until(GOAWAY)
                self.assertIsNotNone(goaway)
                self.assertNotEqual(int.from_bytes(goaway[3][4:8], "big"), NO_ERROR)
                self.assertIsNone(connection.until(GOAWAY))

    def test_the_table_of_headers_stays_small(self):
        # What the client sends comes back in the status, and stays out of the table that it has made room for.
        connection = self.connect(b"\0\1" + (1 << 30).to_bytes(4, "big"))
        sizes = []
        for stream in range(1, 9, 2):
            connection.send(call(stream, "Same" + "x" * 2000))
            kind, flags, _, block = connection.until(HEADERS, stream=stream)
            self.assertTrue(flags & END_STREAM)
            sizes.append(len(block))
        self.assertGreater(sizes[-1], 1000, "the same text again is written out, not looked up")


class Ends(unittest.TestCase):
    """Nothing is lost when a connection or the server ends."""

    program = ""

    def test_calls_in_flight_are_answered_when_the_server_stops(self):
        with Server(self.program, MODELS) as server:
            channel = grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}")
            infer = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
            answers = [infer.future(infer_message("late"), timeout=20) for _ in range(3)]
            time.sleep(0.3)
            server.process.send_signal(signal.SIGTERM)
            for answer in answers:
                self.assertIn(b"OUTPUT0", answer.result())
            self.assertEqual(server.process.wait(20), 0)

    def check_two_steps(self, connection):
        """The end of a connection on which stream 1 waits for an answer."""
        goaway = connection.until(GOAWAY)
        self.assertEqual(int.from_bytes(goaway[3][:4], "big"), HIGHEST_STREAM)
        ping = connection.until(PING, GOAWAY)
        self.assertEqual(ping[0], PING)
        # What was begun before the client knew.
        connection.send(call(3, "ModelInfer", infer_message("fp32")))
        self.assertTrue(connection.is_answered(3))
        connection.send(frame(PING, ACK, 0, ping[3]))
        rest = []
        while (found := connection.next()) is not None:
            rest.append(found)
        goaways = [payload for kind, _, _, payload in rest if kind == GOAWAY]
        self.assertEqual([(payload[:4], payload[4:8]) for payload in goaways], [(bytes([0, 0, 0, 3]), bytes(4))])
        ends = [stream for kind, flags, stream, _ in rest if kind == HEADERS and flags & END_STREAM]
        self.assertEqual(ends, [1])

    def test_goaway_in_two_steps(self):
        with Server(self.program, MODELS) as server, Connection(server.grpc_port) as connection:
            connection.send(call(1, "ModelInfer", infer_message("late")))
            time.sleep(0.2)
            server.process.send_signal(signal.SIGTERM)
            self.check_two_steps(connection)
            self.assertEqual(server.process.wait(20), 0)

    def test_old_connections_end_likewise(self):
        flags = ["--grpc-max-connection-age=300", "--grpc-max-connection-age-grace=20000"]
        with Server(self.program, MODELS, *flags) as server, Connection(server.grpc_port) as connection:
            connection.send(call(1, "ModelInfer", infer_message("late")))
            self.check_two_steps(connection)
            # Clients of the library notice nothing.
            client = tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{server.grpc_port}")
            end = time.monotonic() + 1.5
            while time.monotonic() < end:
                self.assertTrue(client.is_server_live())
            client.close()

    def test_a_silent_client_with_calls_is_pinged(self):
        flags = ["--grpc-keepalive-time=200", "--grpc-keepalive-timeout=300"]
        with Server(self.program, MODELS, *flags) as server, Connection(server.grpc_port) as connection:
            connection.send(call(1, "ModelInfer", infer_message("late")))
            self.assertIsNotNone(connection.until(PING))
            # It stays without an answer.
            self.assertIsNone(connection.until(HEADERS))

    def test_http_requests_that_race_with_the_end_are_answered(self):
        with Server(self.program, MODELS) as server:
            connections = [http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=20) for _ in range(3)]

            def get(connection):
                connection.request("GET", "/v2/health/live")
                response = connection.getresponse()
                response.read()
                return response.status, response.getheader("Connection")

            for connection in connections:
                self.assertEqual(get(connection), (200, None))
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            self.assertEqual(get(connections[0]), (200, "close"))
            body = infer_body()
            connections[1].request("POST", "/v2/models/fp32/infer", body)
            response = connections[1].getresponse()
            self.assertEqual((response.status, response.getheader("Connection")), (200, "close"))
            # The third asks nothing, and is waited for a while only.
            self.assertEqual(server.process.wait(10), 0)

    def test_clients_that_go_on_lose_nothing(self):
        # Two servers share the ports, as in an update of one process after the other.
        flags = ["--reuse-http-port=true", "--reuse-grpc-port=true", "--allow-metrics=false"]
        first, second = Server(self.program, MODELS, *flags), Server(self.program, MODELS, *flags)
        second.http_port, second.grpc_port = first.http_port, first.grpc_port
        failures, counts, is_over = [], [0, 0], threading.Event()

        def ask_http():
            connection = http.client.HTTPConnection("127.0.0.1", first.http_port, timeout=20)
            while not is_over.is_set():
                try:
                    connection.request("POST", "/v2/models/fp32/infer", infer_body())
                    response = connection.getresponse()
                    response.read()
                    if response.status != 200:
                        failures.append(response.status)
                    counts[0] += 1
                except (OSError, http.client.HTTPException) as error:
                    failures.append(error)
                    connection.close()

        def ask_grpc():
            channel = grpc.insecure_channel(f"127.0.0.1:{first.grpc_port}", [("grpc.enable_retries", 0)])
            infer = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
            while not is_over.is_set():
                try:
                    infer(infer_message("fp32"), timeout=20)
                    counts[1] += 1
                except grpc.RpcError as error:
                    failures.append(error)
            channel.close()

        def wait_for_second():
            # Asking would reach the first as well.
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and not (
                second.text().count("listening") == 2 and "READY" in second.text()
            ):
                time.sleep(0.02)

        second.wait_until_ready = wait_for_second
        with first:
            threads = [threading.Thread(target=ask) for ask in (ask_http, ask_http, ask_grpc, ask_grpc)]
            for thread in threads:
                thread.start()
            time.sleep(0.3)
            with second:
                first.process.send_signal(signal.SIGTERM)
                self.assertEqual(first.process.wait(20), 0)
                time.sleep(0.3)
                is_over.set()
                for thread in threads:
                    thread.join()
        self.assertEqual(failures, [])
        self.assertGreater(min(counts), 50)


class Descriptors(unittest.TestCase):
    """A server that has no descriptors left, or whose clients do nothing, does nothing either."""

    program = ""

    def processor_seconds(self, server):
        fields = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def check_idle(self, server, seconds=2.0):
        """The server comes to rest: what it had begun ends, on a busy machine later than on another."""
        used = []
        for _ in range(15):
            start = self.processor_seconds(server)
            time.sleep(seconds)
            used.append(self.processor_seconds(server) - start)
            if used[-1] < 0.15 * seconds:
                return
        self.fail(f"the server does not rest: {used} s of processor time in {seconds} s each")

    def test_accepting_rests_without_descriptors(self):
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder) / "halcyon"
            script.write_text(f'#!/bin/sh\nulimit -n 80\nexec {self.program} "$@"\n')
            script.chmod(0o755)
            with Server(str(script), MODELS) as server:
                clients = [socket.create_connection(("127.0.0.1", server.http_port), timeout=10) for _ in range(100)]
                self.check_idle(server)
                self.assertEqual(server.text().count("no descriptors for further connections"), 1)
                for client in clients:
                    client.close()
                deadline = time.monotonic() + 10
                while time.monotonic() < deadline:
                    try:
                        if server.get("/v2/health/live")[0] == 200:
                            break
                    except OSError:
                        time.sleep(0.1)
                self.assertEqual(server.get("/v2/health/live")[0], 200)

    def test_half_closed_clients_that_read_nothing_cost_nothing(self):
        with Server(self.program, MODELS) as server:
            body = infer_body(range(200_000))
            head = f"POST /v2/models/fp32/infer HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            clients = []
            for _ in range(30):
                client = socket.socket()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(("127.0.0.1", server.http_port))
                client.sendall(head + body)
                client.shutdown(socket.SHUT_WR)
                clients.append(client)
            self.check_idle(server)
            for client in clients:
                client.close()


class Heads(unittest.TestCase):
    """Heads of HTTP requests that two servers could read in two ways."""

    program = ""

    def test_hosts_and_codings(self):
        with Server(self.program, MODELS) as server:
            for lines, status in [
                ("", 400), ("Host: a\r\nHost: a\r\n", 400), ("Host: a\r\nHost: b\r\n", 400), ("Host: a\r\n", 200),
                ("Host: a\r\nTransfer-Encoding: gzip, chunked\r\n", 501),
            ]:  # fmt: skip
                for port in (server.http_port, server.metrics_port):
                    with self.subTest(lines), socket.create_connection(("127.0.0.1", port), timeout=10) as client:
                        path = "/metrics" if port == server.metrics_port else "/v2"
                        client.sendall(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
                        self.assertEqual(client.recv(100).split()[1], str(status).encode())
            with socket.create_connection(("127.0.0.1", server.http_port), timeout=10) as client:
                client.sendall(b"GET /v2 HTTP/1.0\r\n\r\n")
                self.assertEqual(client.recv(100).split()[1], b"200")


class Readiness(unittest.TestCase):
    program = ""

    def test_models_that_there_are_not(self):
        with Server(self.program, MODELS) as server:
            client = tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{server.grpc_port}")
            self.assertTrue(client.is_model_ready("fp32", "1"))
            self.assertFalse(client.is_model_ready("fp32", "2"))
            self.assertFalse(client.is_model_ready("nothing"))
            with self.assertRaises(tritonclient.utils.InferenceServerException):
                client.is_model_ready("fp32", "one")
            client.close()
