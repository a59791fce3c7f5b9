"""What the process itself runs out of: descriptors, room on a disk, instances, memory for what it writes down."""

import json
import os
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from server import identity
from target import AttackTest, long_only, resources, until

# Runs for as long as its parameter says, by the identity backend.
DELAY = """instance_group [ {{ count: 1 kind: KIND_CPU }} ]
parameters {{ key: "execute_delay_ms" value {{ string_value: "{}" }} }}"""


def may_mount():
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


class Descriptors(AttackTest):
    def test_when_descriptors_are_out_the_server_rests(self):
        server = self.serve("--max-connections=1000", wrap=["prlimit", "--nofile=96:96"])
        connections = []
        try:
            for _ in range(150):
                connection = socket.socket()
                connection.settimeout(1)
                connection.connect(("127.0.0.1", server.http_port))
                connections.append(connection)
        except OSError:
            # The backlog is full: what the server can't take waits there.
            pass
        time.sleep(0.5)
        self.assert_at_rest(server, share=0.4)
        for connection in connections:
            connection.close()
        self.assertTrue(until(lambda: self.is_live(server), 20), "no connection is taken though descriptors are there")

    def is_live(self, server):
        try:
            return server.get("/v2/health/live")[0] == 200
        except OSError:
            return False


class Traces(AttackTest):
    def flags(self, place, level, count, frequency):
        settings = {"rate": 1, "level": level, "count": count}
        return [
            "--allow-trace-settings=true", "--trace-config=mode=triton", f"--trace-config=triton,file={place}/trace.json",
            f"--trace-config=triton,log-frequency={frequency}",
            *(f"--trace-config={name}={value}" for name, value in settings.items()),
        ]  # fmt: skip

    def test_traces_of_tensors_do_not_stay_in_memory(self):
        with tempfile.TemporaryDirectory(prefix="halcyon-attack-") as place:
            flags = [*self.flags(place, "TIMESTAMPS", 100000000, 0), "--trace-config=level=TENSORS"]
            server = self.serve(*flags, flat=identity(["UINT8"], max_batch_size=0))
            count = 100_000
            head = json.dumps({
                "inputs": [{"name": "INPUT0", "datatype": "UINT8", "shape": [count], "parameters": {"binary_data_size": count}}],
                "parameters": {"binary_data_output": True}}).encode()  # fmt: skip
            headers = {"Inference-Header-Content-Length": str(len(head))}
            before = resources(server)["memory"]
            for _ in range(20 if self.is_short else 300):
                server.request("POST", "/v2/models/flat/infer", head + bytes(count), headers)
            self.assertTrue(until(lambda: resources(server)["memory"] - before < 96), resources(server))

    @unittest.skipUnless(may_mount(), "no file system of its own can be made here")
    def test_a_full_disk_leaves_a_trace_that_can_be_read(self):
        place = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="halcyon-attack-")))
        script = f'mount -t tmpfs -o size=64k tmpfs {place} && exec "$@"'
        server = self.serve(*self.flags(place, "TIMESTAMPS", 100000, 1), wrap=["unshare", "-m", "sh", "-c", script, "sh"])
        inside = Path(f"/proc/{server.process.pid}/root{place}")
        body = json.dumps({"inputs": [{"name": "INPUT0", "datatype": "FP32", "shape": [1, 1], "data": [1]}]})
        ballast = inside / "ballast"
        ballast.write_bytes(bytes(40 << 10))
        for _ in range(150):
            self.assertEqual(server.request("POST", "/v2/models/innocent/infer", body)[0], 200)
        ballast.unlink()
        for _ in range(5):
            self.assertEqual(server.request("POST", "/v2/models/innocent/infer", body)[0], 200)
        server.request("POST", "/v2/trace/setting", json.dumps({"trace_level": ["OFF"]}))

        def unreadable():
            for path in inside.glob("trace.json*"):
                try:
                    json.loads(path.read_text() or "[]")
                except ValueError as problem:
                    return f"{path.name}: {problem}"
            return None

        self.assertTrue(until(lambda: unreadable() is None, 5), unreadable())
        self.assertNotEqual(list(inside.glob("trace.json*")), [])


class Instances(AttackTest):
    @long_only
    def test_who_waits_for_an_instance_that_is_lost_is_told_so(self):
        server = self.serve("--execution-timeout-secs=1", stuck=identity(["FP32"], lines=DELAY.format(15000)))
        body = json.dumps({"inputs": [{"name": "INPUT0", "datatype": "FP32", "shape": [1, 1], "data": [1]}]})
        answers = []

        def ask():
            begun = time.monotonic()
            status, headers, words = server.request("POST", "/v2/models/stuck/infer", body)
            answers.append((status, round(time.monotonic() - begun, 1), words[:200]))

        def attack():
            threads = []
            for _ in range(8):
                threads.append(threading.Thread(target=ask))
                threads[-1].start()
                time.sleep(0.3)
            for thread in threads:
                thread.join()

        self.beside(server, attack)
        self.assertEqual(len(answers) % 8, 0)
        for status, seconds, words in answers:
            self.assertIn(status, (500, 503, 504), words)
            self.assertLess(seconds, 20, words)


class Shared(AttackTest):
    @long_only
    def test_shared_memory_that_shrinks(self):
        server = self.serve("--allow-client-shm=true")
        name = f"halcyon-attack-{os.getpid()}"
        path = Path("/dev/shm") / name
        self.addCleanup(path.unlink, missing_ok=True)
        path.write_bytes(bytes(1 << 20))
        document = json.dumps({"key": f"/{name}", "offset": 0, "byte_size": 1 << 20})
        status, _, body = server.request("POST", "/v2/systemsharedmemory/region/r/register", document)
        self.assertEqual(status, 200, body)
        body = json.dumps({"inputs": [{
            "name": "INPUT0", "datatype": "FP32", "shape": [1, 1 << 18],
            "parameters": {"shared_memory_region": "r", "shared_memory_byte_size": 1 << 20}}]})  # fmt: skip

        def attack():
            with path.open("r+b") as file:
                for _ in range(50):
                    file.truncate(0)
                    server.request("POST", "/v2/models/innocent/infer", body)
                    file.truncate(1 << 20)
                    server.request("POST", "/v2/models/innocent/infer", body)

        self.beside(server, attack, times=100)
        self.assert_lives(server)
