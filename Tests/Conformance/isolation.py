"""Models in processes of their own: what is left of the server, and of its clients, when one of those goes."""

import array
import json
import os
import random
import re
import resource
import signal
import threading
import time
import unittest
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import server as servers
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
    return servers.soon(condition, seconds)


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
        with IsolatedServer(self.program, models, "--isolation=per-model") as server:
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

    def test_isolation_and_large_inputs(self):
        # Larger ones are collected where the worker reads them, smaller ones are copied there.
        with IsolatedServer(self.program, {"m": identity(["FP32"], lines=ISOLATED)}) as server:

            def send(seed):
                for round in range(6):
                    count = [100, 65_000, 66_000, 300_000, 70_001][(seed + round) % 5]
                    tensor = {"name": "INPUT0", "datatype": "FP32", "shape": [1, count], "parameters": {"binary_data_size": 4 * count}}
                    outputs = [{"name": "OUTPUT0", "parameters": {"binary_data": True}}]
                    head = json.dumps({"inputs": [tensor], "outputs": outputs, "id": "x" * seed}).encode()
                    data = array.array("f", range(seed, seed + count)).tobytes()
                    headers = {"Inference-Header-Content-Length": str(len(head))}
                    status, given, answer = server.request("POST", "/v2/models/m/infer", head + data, headers)
                    self.assertEqual(status, 200, answer[:300])
                    self.assertTrue(answer[int(given["Inference-Header-Content-Length"]) :] == data, f"{seed}, {count}")

            with ThreadPoolExecutor(4) as pool:
                list(pool.map(send, range(8)))
            # Announced, and then given up: nothing of it is left, and nobody waits.
            for _ in range(4):
                with server.connect() as connection:
                    connection.sendall(
                        b"POST /v2/models/m/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
                        b"Inference-Header-Content-Length: 100\r\n\r\n" + b" " * 300_000
                    )
            send(3)
            self.assertEqual(sum(restarts(server, "m").values()), 0)

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
                answers, (client,) = self.send(server, [[1]])
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

    def test_isolation_and_a_load_that_hangs(self):
        slow = ISOLATED + parameter("creation_delay_sec", "3600")
        flags = ["--model-control-mode=explicit", "--model-load-timeout-secs=2"]
        with IsolatedServer(self.program, {"m": identity(["FP32"], lines=slow)}, *flags) as server:
            status, _, answer = server.request("POST", "/v2/repository/models/m/load", "{}")
            self.assertNotEqual(status, 200)
            self.assertIn("the load was given up, as it has taken more than 2 s", answer.decode())
            # What hung has not been left behind.
            self.assertTrue(soon(lambda: not workers(server)))

    def test_isolation_and_memory(self):
        small = ISOLATED + parameter("worker_memory_bytes", "1000000")
        server = IsolatedServer(self.program, {"m": identity(["FP32"], lines=small)}, "--exit-on-error=false")
        server.start()
        try:
            self.assertTrue(soon(lambda: "and may take 0" in server.text()), server.text()[-2000:])
        finally:
            server.end()

    def test_isolation_without_memory(self):
        """A worker that gets no memory ends at the first request that wants some, says which limit, and is replaced."""
        with IsolatedServer(self.program, {"m": identity(["FP32"], lines=ISOLATED)}) as server:
            values = [1.5] * 100_000
            self.assertEqual(infer(server, "m", [1])[0], 200)
            (worker,) = workers(server)
            resource.prlimit(worker, resource.RLIMIT_AS, (1 << 20, 1 << 20))
            status, answer = infer(server, "m", values)
            self.assertEqual(status, 503, answer)
            said = "its worker process ended itself, as it got no more memory: its address space is limited to 1 MiB (RLIMIT_AS)"
            self.assertIn(f"model 'm': {said} while instance 'm_0' executed a batch of 1", answer)
            status, answer = infer(server, "m", values)
            self.assertEqual(status, 200, answer)
            self.assertEqual(json.loads(answer)["outputs"][0]["data"], values)
            self.assertEqual(restarts(server, "m")["memory"], 1)
            self.assertNotEqual(workers(server), [worker])

    def test_isolation_in_a_sandbox(self):
        models = {"m": identity(["FP32"], lines=ISOLATED)}
        with IsolatedServer(self.program, models, "--sandbox") as server:
            self.assertEqual(infer(server, "m", [4])[0], 200)
            (worker,) = workers(server)
            status = Path(f"/proc/{worker}/status").read_text()
            self.assertIn("NoNewPrivs:\t1", status)
            if "seccomp" not in server.text():
                self.assertIn("Seccomp:\t2", status)

    def test_isolation_and_processors(self):
        core = str(min(os.sched_getaffinity(0)))
        lines = ISOLATED + parameter("worker_cpu_cores", core) + "instance_group { count: 2 kind: KIND_CPU }\n"
        with IsolatedServer(self.program, {"m": identity(["FP32"], lines=lines)}) as server:
            self.assertEqual(infer(server, "m", [1] * 3000)[0], 200)
            (worker,) = workers(server)
            # All of its threads, whoever has started them.
            for task in Path(f"/proc/{worker}/task").iterdir():
                self.assertIn(f"Cpus_allowed_list:\t{core}\n", (task / "status").read_text())
        for wrong in ["x", "1-"]:
            server = IsolatedServer(
                self.program, {"m": identity(["FP32"], lines=ISOLATED + parameter("worker_cpu_cores", wrong))},
                "--exit-on-error=false",
            )  # fmt: skip
            server.start()
            try:
                self.assertTrue(soon(lambda: "worker_cpu_cores" in server.text()), server.text()[-2000:])
            finally:
                server.end()

    def test_isolation_and_a_batch_tried_again(self):
        """What ended a worker is executed request by request: neighbours get their answers, and the one that is to blame
        is refused after the second time."""
        slow = parameter("execute_delay_ms", "1500") + parameter("retry_batch_singly", "true")
        lines = ISOLATED + slow + "dynamic_batching { preferred_batch_size: [ 2 ] max_queue_delay_microseconds: 30000000 }\n"
        with IsolatedServer(self.program, {"m": identity(["FP32"], max_batch_size=2, lines=lines)}) as server:
            values = [[1.5], [2.5]]
            answers, threads = self.send(server, values)
            os.kill(workers(server)[0], signal.SIGSEGV)
            for thread in threads:
                thread.join()
            for value, (status, answer) in zip(values, answers):
                self.assertEqual(status, 200, answer)
                self.assertEqual(json.loads(answer)["outputs"][0]["data"], value)
            self.assertEqual(restarts(server, "m")["signal"], 1)

    def test_isolation_and_a_request_that_crashes(self):
        lines = ISOLATED + parameter("execute_delay_ms", "60000")
        with IsolatedServer(self.program, {"m": identity(["FP32"], lines=lines)}) as server:
            for _ in range(2):
                before = workers(server)
                answers, (client,) = self.send(server, [[6, 6, 6]])
                os.kill(before[0], signal.SIGSEGV)
                client.join()
                self.assertEqual(answers[0][0], 503, answers[0][1])
                self.assertTrue(soon(lambda: workers(server) and workers(server) != before))
                self.assertTrue(soon(lambda: server.get("/v2/health/ready")[0] == 200))
            status, answer = infer(server, "m", [6, 6, 6])
            self.assertEqual(status, 400, answer)
            self.assertIn("this request has ended its worker process twice", answer)
            self.assertEqual(restarts(server, "m")["signal"], 2)

    def send(self, server, values):
        """Sends requests at once, each in a thread of its own, and waits until the worker executes them."""
        before = settled(server)
        answers = [None] * len(values)

        def client(index):
            answers[index] = infer(server, "m", values[index])

        threads = [threading.Thread(target=client, args=(index,)) for index in range(len(values))]
        for thread in threads:
            thread.start()
        busy = 'halcyon_instances_busy{model="m",version="1"} 1'
        self.assertTrue(soon(lambda: busy in server.metrics() and switches(server) > before, 60), server.text()[-2000:])
        return answers, threads

    def test_isolation_under_random_kills(self):
        """HALCYON_KILLS=1000 is the long form, which also says what the other model's clients felt of it."""
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
            stop, wrong, lost, times = threading.Event(), [], [], []

            def client(name, number):
                turn = 0
                while not stop.is_set():
                    # Each another: one that a worker crashes with twice is refused.
                    turn += 1
                    values = [number * 1e6 + turn] * (1 if number % 2 else 3000)
                    begin = time.monotonic()
                    status, answer = infer(server, name, values)
                    if name == "innocent":
                        times.append((begin, time.monotonic() - begin))
                    if status == 503 and name == "victim" and "its worker process" in answer:
                        lost.append(answer)
                    elif status != 200 or json.loads(answer)["outputs"][0]["data"] != values:
                        wrong.append((name, status, answer[:300]))

            clients = [threading.Thread(target=client, args=("victim", i)) for i in range(6)]
            clients += [threading.Thread(target=client, args=("innocent", i)) for i in range(2)]
            for each in clients:
                each.start()
            quiet = []
            held = set()
            for turn in range(kills):
                if kills > 100 and turn % 100 == 0:
                    quiet.append((time.monotonic(), time.sleep(5), time.monotonic()))
                # One that goes before it has done anything is replaced after a pause, which is another test's.
                self.assertTrue(soon(lambda: infer(server, "victim", [chance.random()])[0] == 200), f"seed {seed}")
                time.sleep(chance.uniform(0, 0.1))
                victims = [pid for pid in workers(server) if pid != innocent]
                end(victims, chance.choice([*SIGNALS, None]))
                self.assertTrue(soon(lambda: victims[0] not in workers(server)), f"seed {seed}")
                if turn % 50 == 49:
                    held.add(descriptors(server.process.pid))
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
            if quiet:
                report(kills, lost, times, quiet, [before, *sorted(held), descriptors(server.process.pid)])


SIGNALS = [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGSTOP]


def end(processes, number):
    """Ends processes by a signal, or, for None, has them find no more memory."""
    for pid in processes:
        try:
            if number is not None:
                os.kill(pid, number)
                continue
            resource.prlimit(pid, resource.RLIMIT_AS, (1, 1))
        except (ProcessLookupError, PermissionError):
            pass
    if number is not None:
        return
    # What asks for no memory goes on without any.
    if not soon(lambda: not any(alive(pid) for pid in processes), 2):
        end(processes, signal.SIGKILL)


def alive(pid):
    try:
        return (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]) != "Z"
    except OSError:
        return False


def report(kills, lost, times, quiet, held):
    """What the clients of the model that nobody harmed waited, while all was quiet and while workers were ended."""
    is_quiet = [any(begin <= moment <= stop for begin, _, stop in quiet) for moment, _ in times]
    print(f"\n{kills} kills, {len(lost)} requests lost; descriptors before, meanwhile and after: {held}")
    for word, wanted in (("quiet", True), ("kills", False)):
        waited = sorted(took for (_, took), is_so in zip(times, is_quiet) if is_so == wanted)
        if waited:
            percentiles = [waited[min(len(waited) - 1, len(waited) * part // 100)] * 1000 for part in (50, 99)]
            print(f"{word}: {len(waited)} requests to the other model, p50 {percentiles[0]:.1f} ms, p99 {percentiles[1]:.1f} ms")


def switches(server):
    """How often the threads of the model's first instance have gone to sleep in its worker."""
    count = 0
    for worker in workers(server):
        for task in Path(f"/proc/{worker}/task").iterdir():
            if (task / "comm").read_text().strip() == "m_0":
                count += int(re.search(r"^voluntary_ctxt_switches:\t(\d+)", (task / "status").read_text(), re.M)[1])
    return count


def settled(server):
    """The same, when it does not grow any more: it waits for a batch then."""
    count, again = -1, switches(server)
    while count != again or again == 0:
        time.sleep(0.2)
        count, again = again, switches(server)
    return count


def cmdline(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except OSError:
        return []
