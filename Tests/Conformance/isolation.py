"""Models in processes of their own: what is left of the server, and of its clients, when one of those goes."""

import json
import os
import random
import re
import signal
import threading
import time
import unittest
import urllib.request
from pathlib import Path

from server import Server, identity

ISOLATED = 'parameters { key: "isolation" value { string_value: "process" } }\n'


def parameter(key, value):
    return f'parameters {{ key: "{key}" value {{ string_value: "{value}" }} }}\n'


def workers(server):
    """The numbers of the processes that the server has started and not ended."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == server.process.pid and fields[0] != "Z":
            found.append(int(folder.name))
    return found


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def infer(server, name, values):
    tensor = {"name": "INPUT0", "datatype": "FP32", "shape": [1, len(values)], "data": values}
    status, _, answer = server.request("POST", f"/v2/models/{name}/infer", json.dumps({"inputs": [tensor]}))
    return status, answer.decode()


def soon(condition, seconds=30):
    """Waits for what must come to pass."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def restarts(server, model):
    page = server.metrics()
    pattern = re.compile(r'halcyon_restarts_total\{cause="(\w+)",model="' + model + r'",version="1"\} (\d+)')
    return {cause: int(count) for cause, count in pattern.findall(page)}


class IsolatedServer(Server):
    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=30) as answer:
            return answer.read().decode()


class Isolation(unittest.TestCase):
    program = ""

    def test_isolation_by_parameter(self):
        models = {"in": identity(["FP32"]), "out": identity(["FP32"], lines=ISOLATED)}
        with IsolatedServer(self.program, models) as server:
            self.assertEqual(len(workers(server)), 1)
            for name in models:
                for count in [1, 5000]:
                    status, answer = infer(server, name, [1.5] * count)
                    self.assertEqual(status, 200, answer)
                    self.assertEqual(json.loads(answer)["outputs"][0]["data"], [1.5] * count)
            self.assertEqual(sum(restarts(server, "out").values()), 0)
            self.assertEqual(restarts(server, "in"), {})
            # It goes with its server, whatever ends that.
            left = workers(server)
            server.process.kill()
            server.process.wait()
            self.assertTrue(soon(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left)))
            server.process.returncode = 0

    def test_isolation_of_everything(self):
        models = {"a": identity(["FP32"]), "b": identity(["FP32"], lines=parameter("isolation", "none"))}
        with IsolatedServer(self.program, models, "--isolation=process") as server:
            self.assertEqual(len(workers(server)), 1)
            self.assertEqual(infer(server, "b", [2])[0], 200)
        with IsolatedServer(self.program, models, "--isolation=none") as server:
            self.assertEqual(workers(server), [])

    def test_isolation_of_a_clients_files(self):
        with IsolatedServer(self.program, {"m": identity(["FP32"])}, "--model-control-mode=explicit") as server:
            config = {"backend": "identity", "max_batch_size": 8}
            for kind in ["input", "output"]:
                config[kind] = [{"name": f"{kind.upper()}0", "data_type": "TYPE_FP32", "dims": [-1]}]
            body = {"parameters": {"config": json.dumps(config), "file:1/any": "YQ=="}}
            status, _, answer = server.request("POST", "/v2/repository/models/m/load", json.dumps(body))
            self.assertEqual(status, 200, answer)
            self.assertEqual(len(workers(server)), 1)
            self.assertEqual(infer(server, "m", [3])[0], 200)
            self.assertEqual(server.request("POST", "/v2/repository/models/m/unload", "{}")[0], 200)
            self.assertTrue(soon(lambda: not workers(server)))

    def test_isolation_and_signals(self):
        slow = ISOLATED + parameter("execute_delay_ms", "60000")
        with IsolatedServer(self.program, {"m": identity(["FP32"], lines=slow)}) as server:
            for number, name in [(signal.SIGSEGV, "SIGSEGV"), (signal.SIGKILL, "SIGKILL")]:
                before = workers(server)
                answers = []
                client = threading.Thread(target=lambda: answers.append(infer(server, "m", [1])))
                client.start()
                # The worker has the batch when the instance is busy.
                self.assertTrue(soon(lambda: 'pending_request_count{model="m",version="1"} 0' in server.metrics()))
                time.sleep(0.3)
                os.kill(before[0], number)
                client.join()
                status, answer = answers[0]
                self.assertEqual(status, 503, answer)
                self.assertIn(f"model 'm': its worker process was ended by signal {int(number)} ({name})", answer)
                self.assertIn("instance 'm_0' executed a batch of 1", answer)
                self.assertTrue(soon(lambda: workers(server) and workers(server) != before))
                self.assertTrue(soon(lambda: server.get("/v2/health/ready")[0] == 200))
            self.assertEqual(restarts(server, "m")["signal"], 2)

    def test_isolation_and_time(self):
        slow = ISOLATED + parameter("execute_delay_ms", "60000") + parameter("execution_timeout_microseconds", "300000")
        with IsolatedServer(self.program, {"m": identity(["FP32"], lines=slow)}) as server:
            for _ in range(2):
                status, answer = infer(server, "m", [1])
                self.assertEqual(status, 503)
                self.assertIn("as it had not answered for 300 ms", answer)
            self.assertEqual(restarts(server, "m")["timeout"], 2)

    def test_isolation_and_memory(self):
        small = ISOLATED + parameter("worker_memory_bytes", "1000000")
        server = IsolatedServer(self.program, {"m": identity(["FP32"], lines=small)}, "--exit-on-error=false")
        server.start()
        try:
            self.assertTrue(soon(lambda: "and may take 0" in server.text()), server.text()[-2000:])
        finally:
            server.end()

    def test_isolation_in_a_sandbox(self):
        models = {"m": identity(["FP32"], lines=ISOLATED)}
        with IsolatedServer(self.program, models, "--sandbox") as server:
            self.assertEqual(infer(server, "m", [4])[0], 200)
            (worker,) = workers(server)
            status = Path(f"/proc/{worker}/status").read_text()
            self.assertIn("NoNewPrivs:\t1", status)
            if "seccomp" not in server.text():
                self.assertIn("Seccomp:\t2", status)

    def test_isolation_under_random_kills(self):
        kills = int(os.environ.get("HALCYON_KILLS", "30"))
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        group = "instance_group { count: 2 kind: KIND_CPU }\n"
        models = {
            "victim": identity(["FP32"], lines=ISOLATED + group),
            "innocent": identity(["FP32"], lines=ISOLATED),
        }
        with IsolatedServer(self.program, models) as server:
            for name in models:
                self.assertEqual(infer(server, name, [0] * 3000)[0], 200)
            (innocent,) = [pid for pid in workers(server) if "innocent" in cmdline(pid)]
            before = descriptors(server.process.pid)
            stop, wrong, lost = threading.Event(), [], []

            def client(name, number):
                turn = 0
                while not stop.is_set():
                    # Each another: one that a worker crashes with twice is refused.
                    turn += 1
                    values = [number * 1e6 + turn] * (1 if number % 2 else 3000)
                    status, answer = infer(server, name, values)
                    if status == 503 and name == "victim" and "its worker process" in answer:
                        lost.append(answer)
                    elif status != 200 or json.loads(answer)["outputs"][0]["data"] != values:
                        wrong.append((name, status, answer[:300]))

            clients = [threading.Thread(target=client, args=("victim", i)) for i in range(6)]
            clients += [threading.Thread(target=client, args=("innocent", i)) for i in range(2)]
            for each in clients:
                each.start()
            for _ in range(kills):
                # One that goes before it has done anything is replaced after a pause, which is another test's.
                self.assertTrue(soon(lambda: infer(server, "victim", [chance.random()])[0] == 200), f"seed {seed}")
                time.sleep(chance.uniform(0, 0.1))
                victims = [pid for pid in workers(server) if pid != innocent]
                number = chance.choice([signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGSTOP])
                for pid in victims:
                    try:
                        os.kill(pid, number)
                    except ProcessLookupError:
                        pass
                self.assertTrue(soon(lambda: victims[0] not in workers(server)), f"seed {seed}")
            self.assertTrue(soon(lambda: infer(server, "victim", [chance.random()])[0] == 200))
            stop.set()
            for each in clients:
                each.join()
            self.assertEqual(wrong, [], f"seed {seed}")
            # Of each kill, only what the instances executed is lost.
            self.assertLessEqual(len(lost), 2 * kills, f"seed {seed}")
            self.assertIn(innocent, workers(server))
            self.assertEqual(sum(restarts(server, "victim").values()), kills)
            self.assertTrue(soon(lambda: descriptors(server.process.pid) <= before + 8), f"seed {seed}")
            self.assertEqual(len(workers(server)), 2)


def cmdline(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except OSError:
        return []
