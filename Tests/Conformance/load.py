"""Clients that go away, servers that are stopped, too many requests: nothing is lost without a word, nothing leaks."""

import http.client
import json
import os
import signal
import socket
import threading
import time
import unittest

import numpy as np
import tritonclient.grpc
from raw_sockets import Reader, infer_body, request
from server import Server, identity

# Holds requests back for half a minute, so that they wait until something else happens.
SLOW = """dynamic_batching {
  preferred_batch_size: [ 8 ]
  max_queue_delay_microseconds: 30000000
  default_queue_policy { max_queue_size: 7 allow_timeout_override: true }
}"""


def until(condition, seconds=20):
    """Whether something becomes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


class Load(unittest.TestCase):
    program = ""

    def start(self, *flags, **models):
        models = {"fast": identity(["FP32"]), "slow": identity(["FP32"], lines=SLOW), **models}
        return self.enterContext(Server(self.program, models, *flags))

    def statistics(self, server, model="slow"):
        _, _, body = server.get(f"/v2/models/{model}/stats")
        return json.loads(body)["model_stats"][0]

    def failures(self, server):
        return self.statistics(server)["inference_stats"]["fail"]["count"]

    def descriptors(self, server):
        return len(os.listdir(f"/proc/{server.process.pid}/fd"))

    def test_clients_that_go_away_cancel_their_requests(self):
        server = self.start()
        before = self.descriptors(server)
        for round_number in range(200):
            connections = [server.connect() for _ in range(5)]
            for connection in connections:
                connection.sendall(request(infer_body(), path="/v2/models/slow/infer"))
            # All five wait: the sixth and seventh would still fit, and are not there.
            self.assertTrue(until(lambda: self.pending(server) == 5))
            for connection in connections:
                connection.close()
            self.assertTrue(until(lambda: self.failures(server) == 5 * (round_number + 1)), self.statistics(server))
        self.assertEqual(self.pending(server), 0)
        self.assertTrue(until(lambda: self.descriptors(server) <= before + 1), self.descriptors(server))

    def test_grpc_clients_that_go_away_leave_nothing(self):
        server = self.start()
        before = self.descriptors(server)
        for _ in range(20):
            connections = [socket.create_connection(("127.0.0.1", server.grpc_port)) for _ in range(10)]
            for connection in connections:
                connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
                connection.recv(1)
                connection.close()
        for _ in range(5):
            with tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{server.grpc_port}") as client:
                tensor = tritonclient.grpc.InferInput("INPUT0", [1, 2], "FP32")
                tensor.set_data_from_numpy(np.ones((1, 2), np.float32))
                client.async_infer("slow", [tensor], lambda result, error: None)
                self.assertTrue(until(lambda: self.pending(server) == 1))
            self.assertTrue(until(lambda: self.pending(server) == 0))
        self.assertTrue(until(lambda: self.descriptors(server) <= before + 1), self.descriptors(server))

    def test_an_answer_on_its_way_is_finished_when_the_server_stops(self):
        server = self.start()
        count = 4_000_000
        head = json.dumps({
            "inputs": [{"name": "INPUT0", "datatype": "FP32", "shape": [1, count],
                        "parameters": {"binary_data_size": 4 * count}}],
            "parameters": {"binary_data_output": True},
        }).encode()  # fmt: skip
        connection = server.connect()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        headers = f"Inference-Header-Content-Length: {len(head)}\r\n"
        connection.sendall(request(head + bytes(4 * count), path="/v2/models/fast/infer", headers=headers))
        reader = Reader(connection)
        reader.fill()
        server.process.send_signal(signal.SIGTERM)
        self.assertTrue(until(lambda: "stopping" in server.text()))
        status, _, body = reader.response()
        self.assertEqual((status, len(body) > 4 * count), (200, True))
        self.assertEqual(server.process.wait(timeout=30), 0)

    def pending(self, server):
        connection = http.client.HTTPConnection("127.0.0.1", server.metrics_port, timeout=10)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        for line in text.splitlines():
            if line.startswith('nv_inference_pending_request_count{model="slow"'):
                return int(float(line.rsplit(" ", 1)[1]))
        return None

    def test_overload_is_refused_with_a_word(self):
        server = self.start()
        connections = [server.connect() for _ in range(7)]
        for connection in connections:
            connection.sendall(request(infer_body(), path="/v2/models/slow/infer"))
        self.assertTrue(until(lambda: self.pending(server) == 7))
        status, headers, body = server.request("POST", "/v2/models/slow/infer", infer_body())
        self.assertEqual(status, 503, body)
        self.assertIn("Retry-After", headers)
        self.assertIn("Exceeds maximum queue size", json.loads(body)["error"])
        for connection in connections:
            connection.close()

    def test_timeout_of_a_request(self):
        server = self.start()
        start = time.monotonic()
        body = infer_body(parameters={"timeout": 100_000})
        status, _, answer = server.request("POST", "/v2/models/slow/infer", body)
        waited = time.monotonic() - start
        self.assertEqual(status, 503, answer)
        self.assertIn("timeout", json.loads(answer)["error"].lower())
        self.assertGreaterEqual(waited, 0.1)

    def test_stopping_finishes_what_waits(self):
        server = self.start()
        connections = [server.connect() for _ in range(5)]
        for index, connection in enumerate(connections):
            connection.sendall(request(infer_body(id=str(index)), path="/v2/models/slow/infer"))
        self.assertTrue(until(lambda: self.pending(server) == 5))
        server.process.send_signal(signal.SIGTERM)
        for index, connection in enumerate(connections):
            status, headers, body = Reader(connection).response()
            self.assertEqual((status, headers["connection"], json.loads(body)["id"]), (200, "close", str(index)))
            connection.close()
        self.assertEqual(server.process.wait(timeout=30), 0)

    def test_stopping_under_load_answers_or_closes(self):
        server = self.start()
        results = []

        def work():
            connection = server.connect()
            reader = Reader(connection)
            try:
                while True:
                    connection.sendall(request(infer_body(), path="/v2/models/fast/infer"))
                    results.append(reader.response()[0])
            except (OSError, EOFError):
                pass
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        self.assertTrue(until(lambda: len(results) > 500))
        server.process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join(timeout=30)
        self.assertEqual(server.process.wait(timeout=30), 0)
        self.assertLessEqual(set(results), {200, 503})

    def test_second_signal_ends_at_once(self):
        server = Server(self.program, {"slow": identity(["FP32"], lines=SLOW)}, "--exit-timeout-secs=600")
        server.__enter__()
        connection = server.connect()
        try:
            # One that never finishes coming in keeps nothing; one that waits does, and draining lets it run.
            server.process.send_signal(signal.SIGTERM)
            server.process.send_signal(signal.SIGINT)
            server.process.wait(timeout=30)
        finally:
            connection.close()
            server.process.returncode = 0
            server.__exit__(None, None, None)

    def test_kill_and_restart_under_load(self):
        server = self.start()
        connection = server.connect()
        connection.sendall(request(infer_body(), path="/v2/models/slow/infer"))
        server.process.kill()
        server.process.wait()
        connection.close()
        again = Server(self.program, {"fast": identity(["FP32"])})
        again.http_port, again.grpc_port, again.metrics_port = server.http_port, server.grpc_port, server.metrics_port
        with again:
            self.assertEqual(again.request("POST", "/v2/models/fast/infer", infer_body())[0], 200)
        server.process.returncode = 0


class StartErrors(unittest.TestCase):
    """What can't start says so in one line, with a status that is not 0."""

    program = ""

    def fails(self, text, models, *flags):
        server = Server(self.program, models, *flags)
        server.start()
        try:
            # It ends by itself, whether or not it said before that it is ready.
            server.process.wait(timeout=60)
        finally:
            status, log = server.end()
        self.assertGreater(status, 0, log)
        self.assertIn(text, log)

    def test_errors(self):
        models = {"fast": identity(["FP32"])}
        with Server(self.program, models) as server:
            port = f"--http-port={server.http_port}"
            self.fails(f"can't listen on 127.0.0.1:{server.http_port}: Address already in use", models, port)
        self.fails("can't be read as PEM", models, "--http-use-ssl=true", "--http-server-cert=/nosuch",
                   "--http-server-key=/nosuch")  # fmt: skip
        self.fails("Did you mean", models, "--strict-raediness=true")
        self.fails("unknown restricted protocol 'x'", models, "--http-restricted-api=x:k=v")
        self.fails("failed to load", {"broken": 'backend: "identity"\n'})

    def test_readiness_and_ending_are_two_things(self):
        self.fails("failed to load", {"broken": 'backend: "nosuch"\n'}, "--strict-readiness=false")

    def test_all_models_by_a_star(self):
        models = {"one": identity(["FP32"]), "two": identity(["FP32"])}
        with Server(self.program, models, "--model-control-mode=explicit", "--load-model=*") as server:
            for model in models:
                self.assertEqual(server.get(f"/v2/models/{model}/ready")[0], 200)

    def test_models_that_fail_need_not_stop_the_server(self):
        models = {"fast": identity(["FP32"]), "broken": 'backend: "nosuch"\n'}
        with Server(self.program, models, "--exit-on-error=false", "--strict-readiness=false") as server:
            self.assertEqual(server.request("POST", "/v2/models/fast/infer", infer_body())[0], 200)
            index = json.loads(server.request("POST", "/v2/repository/index")[2])
            states = {each["name"]: (each.get("state"), bool(each.get("reason"))) for each in index}
            self.assertEqual(states, {"fast": ("READY", False), "broken": ("UNAVAILABLE", True)})
