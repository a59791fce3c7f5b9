"""The batches that a server keeps, and the commands that show them and run them again."""

import http.client
import json
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from server import Server, free_port, identity

SLOW = 'dynamic_batching { }\nparameters { key: "execute_delay_ms" value { string_value: "%d" } }'


def body(rows=1):
    return json.dumps({"inputs": [{"name": "INPUT0", "datatype": "FP32", "shape": [rows, 2], "data": [1.0] * 2 * rows}]})


def send(server, model, count):
    threads = [
        threading.Thread(target=server.request, args=["POST", f"/v2/models/{model}/infer", body()]) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
        # The first is a batch by itself: it is being executed, or done, when the others come.
        while thread is threads[0] and thread.is_alive():
            if json.loads(server.get(f"/v2/models/{model}/batches")[2])["busy"]:
                break
    for thread in threads:
        thread.join()


class Explain(unittest.TestCase):
    program = ""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls.program, {"slow": identity(["FP32"], "2", lines=SLOW % 150), "idle": identity(["FP32"], "2")})
        cls.enterClassContext(cls.server)
        send(cls.server, "slow", 6)

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def explain(self, *arguments, port=None):
        url = f"--url=http://127.0.0.1:{port or self.server.http_port}"
        result = subprocess.run(
            [self.program, "explain", *map(str, arguments), *([] if any("replay" in str(a) for a in arguments) else [url])],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return result.returncode, result.stdout, result.stderr

    def test_the_server_keeps_batches(self):
        recording = json.loads(self.server.get("/v2/models/slow/batches")[2])
        self.assertEqual(sum(batch["size"] for batch in recording["batches"]), 6)
        first, last = recording["batches"][0], recording["batches"][-1]
        self.assertEqual((first["reason"], first["instance"], len(first["requests"])), ("instance_free", 0, first["size"]))
        self.assertGreaterEqual(last["start_ns"], first["end_ns"])
        self.assertEqual(recording["instances"], ["slow_0"])
        behind = json.loads(self.server.get(f"/v2/models/slow/versions/1/batches?after={first['number']}")[2])
        self.assertEqual([batch["number"] for batch in behind["batches"]], [each["number"] for each in recording["batches"][1:]])
        self.assertEqual(self.server.get("/v2/models/slow/batches?after=x")[0], 400)
        self.assertEqual(self.server.get("/v2/models/nosuch/batches")[0], 404)
        self.assertEqual(self.server.request("POST", "/v2/models/slow/batches")[0], 405)

    def test_a_timeline(self):
        status, text, _ = self.explain("slow", "--width=80")
        self.assertEqual(status, 0, text)
        lines = text.splitlines()
        self.assertRegex(lines[0], r"^slow, version 1: 1 instance; batches up to 8; delay none; the last \d batches of \d$")
        self.assertTrue(lines[2].startswith("waiting"))
        self.assertRegex(lines[3], r"^slow_0 +·*\d━+")
        self.assertIn("all that waited", text)
        self.assertEqual(self.explain("idle")[1].splitlines()[-1], "It has executed nothing that is still kept.")

    def test_a_replay_makes_the_recorded_batches_again(self):
        file = self.folder / "recording.json"
        self.assertEqual(self.explain("slow", f"--save={file}")[0], 0)
        status, text, _ = self.explain(f"--replay={file}")
        self.assertEqual((status, text.splitlines()[-1]), (0, "replayed as it was: 100 % of the recorded batches are made again"))
        status, text, _ = self.explain(f"--replay={file}", "--set=dynamic_batching=false", "--draw")
        self.assertEqual(status, 0)
        self.assertRegex(text, r"with dynamic_batching=false +6 +1\.00 +1 ")
        self.assertIn("no dynamic_batching: each request runs by itself", text)

    def test_what_goes_wrong_is_said(self):
        file = self.folder / "recording.json"
        self.explain("slow", f"--save={file}")
        (self.folder / "damaged.json").write_text(file.read_text()[:200])
        for arguments, port, sentence in [
            (["slow"], free_port(), "there is no server at 127.0.0.1:"),
            (["nosuch"], None, "the server says: Request for unknown model: 'nosuch'"),
            (["slow", "--model-version=7"], None, "the server says: "),
            (["slow"], self.server.metrics_port, "keeps no batches that could be asked for"),
            (["idle", f"--replay={file}"], None, "is a recording of model 'slow', not of 'idle'"),
            ([f"--replay={self.folder}/damaged.json"], None, "it is no recording"),
            ([f"--replay={self.folder}/nosuch.json"], None, "can't be read: No such file"),
            ([f"--replay={file}", "--set=delay=3"], None, "with a name out of max_batch_size"),
            (["slow", "--save=/nosuch/file"], None, "can't be written"),
            (["slow", "--header=x"], None, "--header takes NAME: VALUE"),
        ]:
            status, output, complaint = self.explain(*arguments, port=port)
            self.assertEqual((status, output), (1, ""), arguments)
            self.assertIn(sentence, complaint)
        self.assertNotEqual(self.explain("slow", "--set=max_batch_size=2")[0], 0)
        self.assertNotEqual(self.explain()[0], 0)

    def test_access(self):
        flag = "--http-restricted-api=statistics:key=secret"
        with Server(self.program, {"slow": identity(["FP32"], "2")}, flag) as server:
            self.assertEqual(server.get("/v2/models/slow/batches")[0], 403)
            self.assertIn("expecting header 'key'", self.explain("slow", port=server.http_port)[2])
            self.assertEqual(self.explain("slow", "--header=key: secret", port=server.http_port)[0], 0)

    def test_nothing_is_kept_where_nobody_wants_it(self):
        with Server(self.program, {"slow": identity(["FP32"], "2")}, "--recorded-batches=0") as server:
            status, _, answer = server.get("/v2/models/slow/batches")
            self.assertEqual(status, 503)
            self.assertIn("--recorded-batches=0", json.loads(answer)["error"])


class Page(unittest.TestCase):
    program = ""
    model = {"slow": identity(["FP32"], "2", lines=SLOW % 5)}

    def test_the_page_is_there_on_this_machine_only(self):
        for flags, status in [
            ([], 200), (["--page=off"], 404), (["--http-address=0.0.0.0"], 404), (["--http-address=0.0.0.0", "--page=on"], 200),
            (["--http-restricted-api=metadata:key=secret"], 403),
        ]:  # fmt: skip
            with Server(self.program, self.model, *flags) as server:
                for path in ("/", "/page/app.js"):
                    self.assertEqual(server.get(path)[0], status, (flags, path))
                if status == 404:
                    self.assertEqual(server.get("/page/events")[0], 404)

    def test_files_and_their_policy(self):
        with Server(self.program, self.model) as server:
            status, headers, page = server.get("/")
            self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
            self.assertIn("default-src 'none'; script-src 'self'; style-src 'self'", headers["Content-Security-Policy"])
            self.assertNotIn(b"http://", page)
            self.assertEqual(server.get("/page/nosuch.js")[0], 404)
            self.assertEqual(server.get("/page/../etc/passwd")[0], 404)
            self.assertEqual(server.request("POST", "/")[0], 405)

    def test_events(self):
        with Server(self.program, self.model) as server:
            send(server, "slow", 3)
            connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=30)
            connection.request("GET", "/page/events/slow/versions/1?interval=100")
            response = connection.getresponse()
            self.assertEqual(response.getheader("content-type"), "text/event-stream; charset=utf-8")
            events = []
            while len(events) < 2:
                line = response.readline()
                if line.startswith(b"data: "):
                    events.append(json.loads(line[6:]))
            connection.close()
            self.assertEqual(sum(batch["size"] for batch in events[0]["recording"]["batches"]), 3)
            self.assertEqual(events[1]["recording"]["batches"], [])
            model = events[0]["models"][0]
            self.assertEqual((model["name"], model["requests"], model["waiting"], model["instances"]), ("slow", 3, 0, 1))
            self.assertGreater(model["p99"], 1000)
            self.assertEqual(server.get("/page/events?interval=1")[0], 400)
            self.assertEqual(server.get("/page/events/nosuch/versions/1")[0], 404)

    def test_requests_at_once(self):
        with Server(self.program, self.model) as server:
            path = "/page/models/slow/versions/1/infer"
            status, _, answer = server.request("POST", f"{path}?requests=16", body())
            document = json.loads(answer)
            self.assertEqual((status, document["answer"]["outputs"][0]["data"]), (200, [1.0, 1.0]))
            self.assertEqual(len(document["requests"]), 16)
            statistics = json.loads(server.get("/v2/models/slow/stats")[2])["model_stats"][0]
            self.assertEqual(statistics["inference_count"], 16)
            self.assertLess(statistics["execution_count"], 16)
            self.assertEqual(server.request("POST", f"{path}?requests=17", body())[0], 400)
            self.assertEqual(server.request("POST", path, b"{")[0], 400)
            self.assertEqual(server.request("POST", "/page/models/nosuch/versions/1/infer", body())[0], 404)


class Budget(unittest.TestCase):
    program = ""

    @staticmethod
    def model(budget, lines):
        parameter = f'parameters {{ key: "latency_budget_microseconds" value {{ string_value: "{budget}" }} }}'
        return identity(["FP32"], "2", lines=f"{lines}\n{parameter}")

    def test_the_reason_is_counted_and_kept(self):
        # Once its 20 ms are known, the budget of 100 ms closes batches long before the delay of ten seconds does.
        lines = (
            "dynamic_batching { max_queue_delay_microseconds: 10000000 }\n"
            'parameters { key: "execute_delay_ms" value { string_value: "20" } }'
        )
        with Server(self.program, {"m": self.model(100_000, lines)}) as server:
            server.request("POST", "/v2/models/m/infer", body(8))
            send(server, "m", 1)
            recording = json.loads(server.get("/v2/models/m/batches")[2])
            self.assertEqual([batch["reason"] for batch in recording["batches"]], ["full", "latency_budget"])
            self.assertEqual(recording["scheduling"]["latency_budget_microseconds"], 100_000)
            connection = http.client.HTTPConnection("127.0.0.1", server.metrics_port, timeout=30)
            connection.request("GET", "/metrics")
            page = connection.getresponse().read().decode()
            connection.close()
            self.assertIn('halcyon_batch_reason_total{model="m",reason="latency_budget",version="1"} 1', page)

    def test_wrong_budgets_are_named(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, (budget, lines, complaint) in {
                "text": ("soon", "dynamic_batching { }", "is a number of microseconds from 1, '50000' for 50 ms, got 'soon'"),
                "alone": ("5000", "", "add dynamic_batching { }"),
            }.items():
                (Path(folder) / name / "1").mkdir(parents=True)
                (Path(folder) / name / "config.pbtxt").write_text(self.model(budget, lines))
                result = subprocess.run([self.program, "lint", folder], capture_output=True, text=True, timeout=60)
                self.assertEqual(result.returncode, 1)
                self.assertIn(complaint, result.stdout)
