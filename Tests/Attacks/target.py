"""A server that is attacked, beside four clients who must not notice."""

import http.client
import json
import os
import statistics
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

from server import Server, identity

HERE = Path(__file__).resolve().parent
# How much longer than alone an innocent client may wait beside an attack, at the 99th of a hundred calls. An attack takes
# processor time of its own, so some is fair; what attacks are about is hundreds and thousands of times.
MOST_TIMES = 30
# An innocent client's p99 alone is taken as at least so much: below it the machine's own noise is measured.
LEAST_ALONE = 0.008
MEBIBYTE = 1 << 20


def until(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


class Innocents:
    def __init__(self, server):
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "innocents.py"), str(server.http_port), str(server.grpc_port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.end_round()

    def end_round(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def resources(server):
    """What a process holds, by name."""
    process = Path(f"/proc/{server.process.pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return {
        "descriptors": len(os.listdir(process / "fd")), "threads": int(status["Threads"]),
        "memory": int(status["VmRSS"].split()[0]) // 1024, "pending": pending(server),
    }  # fmt: skip


def pending(server):
    _, _, body = server.request_metrics()
    return sum(
        float(line.rsplit(" ", 1)[1])
        for line in body.decode().splitlines()
        if line.startswith("nv_inference_pending_request_count{")
    )


def ticks(server):
    """Processor time that a server has used so far, in seconds."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class AttackTest(unittest.TestCase):
    program = ""
    is_short = False
    # What a server may keep of an attack, in MiB: caches, arenas, threads that go later.
    memory_allowance = 96
    # What innocent clients may be told instead of an answer, as part of its words.
    refusal = None

    def serve(self, *flags, files=None, wrap=(), **models):
        models = {"innocent": identity(["FP32"]), **models}
        server = Server(self.program, models, "--http-thread-count=2", "--exit-on-error=false", *flags)
        server.files = files or {}
        server.wrap = list(wrap)
        server.environment = {"SWIFT_BACKTRACE": "enable=no"}
        server.request_metrics = lambda: self.metrics(server)
        self.enterContext(server)
        # The ports open one behind the other.
        self.assertTrue(until(lambda: self.has_metrics(server), 10), "the metrics' port does not open")
        return server

    def has_metrics(self, server):
        try:
            return self.metrics(server)[0] == 200
        except OSError:
            return False

    def metrics(self, server):
        connection = http.client.HTTPConnection("127.0.0.1", server.metrics_port, timeout=30)
        try:
            connection.request("GET", "/metrics")
            response = connection.getresponse()
            return response.status, {}, response.read()
        finally:
            connection.close()

    def beside(self, server, attack, seconds=1.0, times=MOST_TIMES):
        """Runs an attack as often as noise wants it, beside innocent clients; answers what its last run answered.

        An attack that ends before `seconds` are over is not begun again: whoever waits for it is measured until then."""
        innocents = Innocents(server)
        try:
            ratios, result = [], None
            before = resources(server)
            for _ in range(1 if self.is_short else 3):
                time.sleep(seconds)
                alone = innocents.end_round()
                result, beside = self.attacked(innocents, attack, seconds)
                wrong = [each for each in beside["wrong"] if self.refusal is None or self.refusal not in each]
                self.assertEqual(wrong, [], "innocent clients got something else than their answers")
                self.assertGreater(beside["count"], 0, "innocent clients got no answer at all")
                ratios.append(beside["p99"] / max(alone["p99"], LEAST_ALONE))
            ratio = statistics.median(ratios)
            self.assertLess(ratio, times, f"innocent clients waited {ratio:.0f} times as long as alone: {beside}")
        finally:
            innocents.stop()
        self.assert_as_before(server, before)
        return result

    def attacked(self, innocents, attack, seconds):
        outcome = {}

        def run():
            try:
                outcome["result"] = attack()
            except BaseException as problem:  # noqa: BLE001 (it is raised again below)
                outcome["problem"] = problem

        begun = time.monotonic()
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        time.sleep(max(0.0, begun + seconds - time.monotonic()))
        beside = innocents.end_round()
        if "problem" in outcome:
            raise outcome["problem"]
        return outcome.get("result"), beside

    def assert_as_before(self, server, before):
        """Descriptors, threads, memory and waiting requests come back to what they were."""
        # The innocent clients' own connections, and threads that the server keeps for later.
        allowance = {"descriptors": 6, "threads": 6, "memory": self.memory_allowance, "pending": 0}

        def excess():
            now = resources(server)
            return {name: now[name] - before[name] for name in now if now[name] - before[name] > allowance[name]}

        self.assertTrue(until(lambda: not excess(), 40), f"more than before the attack: {excess()}")

    def assert_lives(self, server):
        self.assertIsNone(server.process.poll(), "the server has ended")
        self.assertEqual(server.get("/v2/health/live")[0], 200)

    def assert_at_rest(self, server, share=0.25, seconds=2.0):
        """Nothing runs while nothing happens: at most a share of one processor."""
        begun, used = time.monotonic(), ticks(server)
        time.sleep(seconds)
        busy = (ticks(server) - used) / (time.monotonic() - begun)
        self.assertLess(busy, share, "of one processor, while nobody asks for anything")


def long_only(test):
    """A test that the short form leaves out."""

    def run(self):
        if self.is_short:
            self.skipTest("in the long form")
        test(self)

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run
