"""Requests whose bodies are, or become, large: nobody else waits for them, and they cost no more memory than is allowed."""

import gzip
import json
import socket
import threading
import time

from http2 import DATA, END_HEADERS, END_STREAM, HEADERS, Connection, frame, infer_message, message
from server import identity
from target import MEBIBYTE, AttackTest, long_only, resources

QUEUE = "dynamic_batching { preferred_batch_size: [ 8 ] max_queue_delay_microseconds: 5000000 }"


def request(model, body, *headers, path="infer"):
    head = [f"POST /v2/models/{model}/{path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(head) + "\r\n\r\n").encode() + body


def exchange(server, data, seconds=60):
    """The status of one answer, 0 where the connection ended without one; the answer's beginning."""
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=seconds) as connection:
        try:
            connection.sendall(data)
        except OSError:
            pass
        answer = b""
        try:
            while b"\r\n\r\n" not in answer and (more := connection.recv(4096)):
                answer += more
            # Read to the end, so that the answer's writing is the server's own pace.
            connection.settimeout(0.2)
            while connection.recv(1 << 20):
                pass
        except OSError:
            pass
    return (int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0), answer


def document(shape="1", datatype="FP32", data="1", name="INPUT0", outputs=""):
    text = f'{{"inputs":[{{"name":"{name}","datatype":"{datatype}","shape":[{shape}],"data":[{data}]}}]{outputs}}}'
    return text.encode()


def zipped(body):
    return gzip.compress(body, 6), "Content-Encoding: gzip"


class Documents(AttackTest):
    """JSON in which one thing is there a million times."""

    def check(self, body, *statuses, is_zipped=True, model="innocent", seconds=1.0):
        server = self.serve(flat=identity(["FP32"], max_batch_size=0), text=identity(["STRING"], max_batch_size=0))
        data = request(model, *(zipped(body) if is_zipped else (body,)))
        status, answer = self.beside(server, lambda: exchange(server, data), seconds)
        self.assertIn(status, statuses, answer[:300])
        # What is refused is not repeated at full length.
        if status >= 400:
            self.assertLess(len(answer), 8192)
        self.assert_lives(server)

    @property
    def many(self):
        return 3_000_000 if self.is_short else 30_000_000

    def test_a_shape_of_millions_of_dimensions(self):
        self.check(document(shape="1," * (self.many - 1) + "1"), 400, 413)

    @long_only
    def test_a_name_of_megabytes(self):
        self.check(document(name="x" * (2 * self.many)), 400, 413)

    @long_only
    def test_a_datatype_of_megabytes(self):
        self.check(document(datatype="x" * (2 * self.many)), 400, 413)

    def test_millions_of_numbers(self):
        count = self.many // 3
        self.check(document(shape=str(count), data="1," * (count - 1) + "1"), 200, 400, 413, 429, 503, model="flat")

    @long_only
    def test_millions_of_inputs(self):
        one = b'{"name":"INPUT0","datatype":"FP32","shape":[1],"data":[1]}'
        self.check(b'{"inputs":[' + b",".join([one] * 500_000) + b"]}", 400, 413)

    @long_only
    def test_millions_of_parameters(self):
        many = b",".join(b'"p%d":1' % index for index in range(1_000_000))
        self.check(b'{"parameters":{' + many + b'},"inputs":[]}', 400, 413)

    @long_only
    def test_nests_of_arrays(self):
        self.check(b'{"inputs":' + b"[" * 5_000_000, 400, 413)

    @long_only
    def test_a_classification_of_all_values(self):
        count = self.many // 4
        outputs = f',"outputs":[{{"name":"OUTPUT0","parameters":{{"classification":{count}}}}}]'
        self.check(document(shape=str(count), data="1," * (count - 1) + "1", outputs=outputs), 200, 400, 413, 429, 503, model="flat")

    @long_only
    def test_millions_of_empty_texts_answered_as_json(self):
        count = 15_000_000
        head = json.dumps({"inputs": [{
            "name": "INPUT0", "datatype": "BYTES", "shape": [count], "parameters": {"binary_data_size": 4 * count}}]}).encode()  # fmt: skip
        server = self.serve("--http-max-input-size=100000000", text=identity(["STRING"], max_batch_size=0))
        body = head + bytes(4 * count)
        data = request("text", gzip.compress(body, 6), "Content-Encoding: gzip", f"Inference-Header-Content-Length: {len(head)}")
        status, answer = self.beside(server, lambda: exchange(server, data))
        self.assertIn(status, (200, 400, 413, 429, 503), answer[:300])


class Memory(AttackTest):
    """All bytes that a client causes are within one budget."""

    budget = 128
    # A budget that others have used up is an answer too, as long as it comes at once and says so.
    refusal = "max-inflight-bytes"

    def peak(self, server, attack):
        """The most memory that a server had while an attack went on, in MiB above what it had before."""
        before, most, done = resources(server)["memory"], [0], threading.Event()

        def watch():
            while not done.wait(0.02):
                status = open(f"/proc/{server.process.pid}/status").read()
                most[0] = max(most[0], int(status.split("VmRSS:")[1].split()[0]) // 1024)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            result = attack()
        finally:
            done.set()
            watcher.join()
        return most[0] - before, result

    def test_answers_that_nobody_reads(self):
        size = 15 if self.is_short else 60
        server = self.serve(
            f"--max-inflight-bytes={self.budget * MEBIBYTE}", f"--http-max-input-size={80 * MEBIBYTE}",
            flat=identity(["UINT8"], max_batch_size=0),
        )  # fmt: skip
        count = size * 1_000_000
        head = json.dumps({
            "inputs": [{"name": "INPUT0", "datatype": "UINT8", "shape": [count], "parameters": {"binary_data_size": count}}],
            "parameters": {"binary_data_output": True}}).encode()  # fmt: skip
        body = gzip.compress(head + bytes(count), 6)
        data = request("flat", body, "Content-Encoding: gzip", f"Inference-Header-Content-Length: {len(head)}")

        def attack():
            connections = [socket.create_connection(("127.0.0.1", server.http_port)) for _ in range(40)]
            for each in connections:
                each.sendall(data)
            time.sleep(6)
            for each in connections:
                each.close()

        most, _ = self.peak(server, lambda: self.beside(server, attack, 6.0))
        self.assertLess(most, 2 * self.budget + 150, "MiB, where clients may cause 128 to be held")

    def test_grpc_answers_that_nobody_reads(self):
        server = self.serve(f"--max-inflight-bytes={self.budget * MEBIBYTE}", flat=identity(["UINT8"], max_batch_size=0))
        count = 10_000_000
        body = gzip.compress(infer_message("flat", [("INPUT0", "UINT8", [count])], [bytes(count)]), 6)

        def attack():
            connections = []
            for _ in range(40):
                connection = Connection(server)
                connection.send(connection.call(1, "ModelInfer", (body,), ("grpc-encoding", "gzip")))
                connections.append(connection)
            time.sleep(5)
            for each in connections:
                each.close()

        most, _ = self.peak(server, lambda: self.beside(server, attack, 5.0))
        self.assertLess(most, 2 * self.budget + 150, "MiB, where clients may cause 128 to be held")

    def test_tensors_from_json_that_wait_in_a_queue(self):
        server = self.serve(
            f"--max-inflight-bytes={self.budget * MEBIBYTE}", waiting=identity(["FP64"], max_batch_size=8, lines=QUEUE)
        )  # fmt: skip
        count = 1_000_000 if self.is_short else 4_000_000
        data = request("waiting", *zipped(document(f"1,{count}", "FP64", "1," * (count - 1) + "1")))

        def attack():
            threads = [threading.Thread(target=exchange, args=(server, data)) for _ in range(12)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        most, _ = self.peak(server, lambda: self.beside(server, attack))
        self.assertLess(most, 3 * self.budget + 150, "MiB, where clients may cause 128 to be held")

    @long_only
    def test_bursts_leave_nothing_behind(self):
        server = self.serve(f"--http-max-input-size={80 * MEBIBYTE}", flat=identity(["UINT8"], max_batch_size=0))
        count = 40_000_000
        head = json.dumps({
            "inputs": [{"name": "INPUT0", "datatype": "UINT8", "shape": [count], "parameters": {"binary_data_size": count}}],
            "parameters": {"binary_data_output": True}}).encode()  # fmt: skip
        data = request("flat", head + bytes(count), f"Inference-Header-Content-Length: {len(head)}")

        def attack():
            threads = [threading.Thread(target=exchange, args=(server, data)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        self.beside(server, attack, times=200)


class Streams(AttackTest):
    def test_a_stream_of_empty_messages(self):
        """As many messages as fit a few megabytes, on one stream."""
        server = self.serve()
        count = 80_000 if self.is_short else 838_400
        # The server answers each with an error; whoever sends so many reads none of them.
        body = message() * count

        def attack():
            with Connection(server, timeout=5) as connection:
                connection.send(frame(HEADERS, END_HEADERS, 1, connection.headers("ModelStreamInfer")))
                try:
                    for at in range(0, len(body), 16384):
                        last = at + 16384 >= len(body)
                        connection.send(frame(DATA, END_STREAM if last else 0, 1, body[at : at + 16384]))
                except OSError:
                    return

        self.beside(server, attack, 3.0)
        self.assert_lives(server)


class Headers(AttackTest):
    def test_a_request_without_a_host_or_with_two(self):
        server = self.serve()
        for hosts, right in (("", 400), ("Host: a\r\nHost: b\r\n", 400), ("Host: a\r\n", 200)):
            status, answer = exchange(server, f"GET /v2/health/live HTTP/1.1\r\n{hosts}\r\n".encode(), 5)
            self.assertEqual(status, right, (hosts, answer))

    def test_codings_that_are_not_undone_are_refused(self):
        server = self.serve()
        body = b"2\r\n{}\r\n0\r\n\r\n"
        head = b"POST /v2/models/innocent/infer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
        self.assertEqual(exchange(server, head + body, 5)[0], 501)
