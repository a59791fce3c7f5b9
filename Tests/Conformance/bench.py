"""`halcyon bench`: what it measures over each wire and in process, and what it says where something is wrong."""

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from server import ROOT, Server, identity
from streams import REPEAT
from transports import make_certificate

SEQUENCES = """
sequence_batching {
  max_sequence_idle_microseconds: 60000000
  direct { }
}
"""
MODELS = {
    "fixed": identity(["FP32"], dims="16", lines="dynamic_batching { }"),
    "open": identity(["FP32"], dims="-1, 4"),
    "texts": identity(["STRING", "INT8"], dims="2"),
    "slow": identity(["FP32"], dims="4", lines='parameters { key: "execute_delay_ms" value { string_value: "20" } }'),
    "one_by_one": identity(["INT32"], dims="1", lines=SEQUENCES + "instance_group [ { count: 4 kind: KIND_CPU } ]"),
    "unbatched": identity(["FP32"], dims="4", max_batch_size=0),
    "repeat": REPEAT,
}
QUICK = ["--window", "100ms", "--stability", "100"]


class Bench(unittest.TestCase):
    program = ""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server(cls.program, MODELS, "--allow-client-shm=true"))
        cls.http = f"http://127.0.0.1:{cls.server.http_port}"
        cls.grpc = f"grpc://127.0.0.1:{cls.server.grpc_port}"

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def bench(self, *arguments, status=0):
        """The output of a command that ends with that status; its errors where that is not 0."""
        result = subprocess.run(
            [self.program, "bench", *map(str, arguments)], capture_output=True, text=True, timeout=60
        )  # fmt: skip
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result.stderr if status else result.stdout

    def results(self, *arguments):
        return json.loads(self.bench(*arguments, *QUICK, "--format=json"))["results"]

    def test_closed_loop(self):
        for url in (self.http, self.grpc):
            with self.subTest(url):
                results = self.results("fixed", "--url", url, "--concurrency", "1,4", "-b", 2)
                self.assertEqual([each["load"] for each in results], ["1", "4"])
                for each in results:
                    self.assertEqual(each["errors"], {})
                    self.assertGreater(each["requests"], 10)
                    self.assertLessEqual(each["latency_p50_ns"], each["latency_p99_ns"])
                    self.assertGreater(each["server_compute_infer_ns"], 0)
                    self.assertGreaterEqual(each["mean_batch"], 2)
                    # The server counts items, and what was begun before a window or ended behind it.
                    self.assertAlmostEqual(each["server_inferences"] / each["requests"], 2, delta=0.5)

    def test_it_takes_no_rights_of_roots(self):
        # Root without what makes it more than another user.
        plain = ["setpriv", "--bounding-set=-all", "--"] if os.geteuid() == 0 else []
        if plain and not shutil.which(plain[0]):
            self.skipTest("setpriv is missing: Debian's package util-linux has it")
        if plain and subprocess.run([*plain, self.program, "--version"], capture_output=True, check=False).returncode != 0:
            # The program is a script that enters an image and gives up these rights by itself.
            plain = []
        for url in (self.http, self.grpc):
            command = [*plain, self.program, "bench", "fixed", "--url", url, *QUICK]
            result = subprocess.run(command, capture_output=True, text=True, timeout=60)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_streams_share_connections(self):
        results = self.results("fixed", "--url", self.grpc, "--concurrency", 8, "--streams-per-connection", 4, "--threads", 2)
        self.assertEqual(results[0]["errors"], {})

    def test_one_request_at_a_time_to_a_slow_model(self):
        (each,) = self.results("slow", "--url", self.http)
        self.assertGreater(each["latency_p50_ns"], 20e6)
        self.assertAlmostEqual(each["inferences_per_second"] * each["latency_mean_ns"] / 1e9, 1, delta=0.2)

    def test_open_loop(self):
        for distribution in ("constant", "poisson"):
            (each,) = self.results(
                "slow", "--url", self.grpc, "--request-rate", 20, "--request-distribution", distribution, "--window=500ms"
            )  # fmt: skip
            self.assertEqual(each["offered_requests_per_second"], 20)
            self.assertAlmostEqual(each["inferences_per_second"], 20, delta=12)

    def test_latency_counts_from_when_a_request_was_due(self):
        # Ten at once, one at a time, 20 ms each: the last waits for all the others.
        trace = self.folder / "trace"
        trace.write_text("# seconds\n" + "1.5\n" * 10)
        for arguments in (["--url", self.http], ["--model-repository", self.server.folder / "models"]):
            (each,) = self.results("slow", *arguments, "--arrivals", trace, "--max-under-way", 1)
            self.assertEqual((each["requests"], each["steady"]), (10, "once"))
            self.assertGreater(each["latency_max_ns"], 190e6)
            self.assertGreater(each["late"], 5)

    def test_inputs(self):
        data = self.folder / "data.json"
        data.write_text(json.dumps({"data": [{"INPUT0": ["a", "bc"], "INPUT1": [1, 2]}, {"INPUT0": ["", "x"], "INPUT1": [3, 4]}]}))
        for url in (self.http, self.grpc):
            for arguments in (["--input-data", data], ["--input", "zero"], ["-b", 3]):
                with self.subTest(url=url, arguments=arguments):
                    self.assertEqual(self.results("texts", "--url", url, *arguments)[0]["errors"], {})
            self.results("open", "--url", url, "--shape", "INPUT0:3,4")
            self.results("unbatched", "--url", url)
        self.assertEqual(self.results("texts", "--url", self.http, "--json-tensors")[0]["errors"], {})

    def test_shared_memory(self):
        for url in (self.http, self.grpc):
            (each,) = self.results("fixed", "--url", url, "--shared-memory=system", "--concurrency=4")
            self.assertEqual(each["errors"], {})
        status = json.loads(self.server.get("/v2/systemsharedmemory/status")[2])
        self.assertEqual(status, [])
        self.assertEqual(list(Path("/dev/shm").glob("halcyon_bench_*")), [])

    def test_sequences(self):
        for url in (self.http, self.grpc):
            (each,) = self.results("one_by_one", "--url", url, "--concurrency=4", "--sequence-length=5")
            self.assertEqual(each["errors"], {})
        # Those that were under way have been ended: there is room for others at once.
        self.results("one_by_one", "--url", self.grpc, "--concurrency=4")

    def test_streams(self):
        data = self.folder / "data.json"
        data.write_text(json.dumps({"data": [{"IN": {"content": [1, 2, 3], "shape": [3]}}]}))
        (each,) = self.results("repeat", "--url", self.grpc, "--input-data", data)
        self.assertEqual(each["errors"], {})
        self.assertAlmostEqual(each["responses"] / each["requests"], 3, delta=0.01)
        self.assertLessEqual(each["first_response_p50_ns"], each["latency_p50_ns"])
        self.assertIn("--url grpc://", self.bench("repeat", "--url", self.http, "--input-data", data, status=1))

    def test_in_process(self):
        repository = self.server.folder / "models"
        for model, arguments in (("fixed", ["--concurrency=1,4"]), ("one_by_one", ["--concurrency=4"]),
                                 ("slow", ["--request-rate=20", "--window=300ms"])):  # fmt: skip
            for each in self.results(model, "--model-repository", repository, *arguments):
                self.assertEqual(each["errors"], {})
                self.assertGreater(each["server_compute_infer_ns"], 0)

    def test_reports(self):
        page = self.folder / "page.html"
        text = self.bench("fixed", "--url", self.http, "--concurrency=1:4:x2", *QUICK, "--report", page)
        self.assertRegex(text, r"(?m)^concurrency +infer/s +mean +p50 +p90 +p95 +p99 +max +queue")
        self.assertEqual(len(re.findall(r"(?m)^ +[124]\*? +[0-9]", text)), 3)
        html = page.read_text()
        self.assertEqual(html.count("<svg"), 2)
        self.assertNotRegex(html, r"(?i)<script|src=|href=|url\(|https?://(?!127)")
        rows = list(csv.DictReader(io.StringIO(self.bench("fixed", "--url", self.http, *QUICK, "--format=csv"))))
        self.assertEqual([row["load"] for row in rows], ["1"])
        self.assertGreater(float(rows[0]["inferences_per_second"]), 0)

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not there to make certificates")
    def test_tls_and_headers(self):
        certificate, key = make_certificate(self.folder, "server")
        flags = [f"--{port}-{flag}" for port in ("http", "grpc") for flag in (
            "use-ssl=true", f"server-cert={certificate}", f"server-key={key}")] + [
            "--http-restricted-api=inference:x-key=secret"]  # fmt: skip
        server = Server(self.program, {"fixed": MODELS["fixed"]}, *flags)
        server.wait_until_ready = lambda: None
        with server:
            for url in (f"https://127.0.0.1:{server.http_port}", f"grpcs://127.0.0.1:{server.grpc_port}"):
                trusted = ["fixed", "--url", url, "--tls-root-cert", certificate]
                key_header = ["--header", "x-key: secret"]
                deadline = time.monotonic() + 30
                while subprocess.run(
                    [self.program, "bench", *map(str, trusted), *key_header, *QUICK], capture_output=True
                ).returncode and time.monotonic() < deadline:  # fmt: skip
                    time.sleep(0.1)
                self.assertEqual(self.results(*trusted, *key_header)[0]["errors"], {})
                self.assertEqual(self.results("fixed", "--url", url, "--tls-insecure", *key_header)[0]["errors"], {})
                self.assertRegex(self.bench("fixed", "--url", url, status=1), "(?i)tls|certificate")
                if url.startswith("https"):
                    self.assertIn("HTTP 403", self.bench(*trusted, status=1))

    def test_faults(self):
        data = self.folder / "data.json"
        data.write_text('{"data": [{"INPUT0": [1, 2]}]}')
        broken = self.folder / "broken.json"
        broken.write_text('{"data": [')
        for expected, arguments in (
            ("no answer from http://127.0.0.1:1: Connection refused", ["fixed", "--url", "http://127.0.0.1:1"]),
            ("no answer from grpc://127.0.0.1:1: Connection refused", ["fixed", "--url", "grpc://127.0.0.1:1"]),
            ("nosuch", ["nosuch", "--url", self.http]), ("nosuch", ["nosuch", "--url", self.grpc]),
            ("nosuch", ["nosuch", "--model-repository", self.server.folder / "models"]),
            ("say which with --shape INPUT0:16,4", ["open", "--url", self.http]),
            ("does not fit", ["open", "--url", self.http, "--shape", "INPUT0:3,5"]),
            ("expected 16 elements for the shape [16], got 2", ["fixed", "--url", self.http, "--input-data", data]),
            ("broken.json is no JSON text", ["fixed", "--url", self.http, "--input-data", broken]),
            ("can't be read", ["fixed", "--url", self.http, "--input-data", self.folder / "nosuch.json"]),
            ("up to 8, got --batch 9", ["fixed", "--url", self.http, "-b", 9]),
            ("takes no batches", ["unbatched", "--url", self.http, "-b", 2]),
            ("takes no pictures", ["fixed", "--url", self.http, "--pictures", ROOT / ".deps" / "images"]),
            ("--concurrency takes", ["fixed", "--url", self.http, "--concurrency", "x"]),
            ("does not speak HTTP/1.1", ["fixed", "--url", f"http://127.0.0.1:{self.server.grpc_port}"]),
            ("does not speak HTTP/2", ["fixed", "--url", f"grpc://127.0.0.1:{self.server.http_port}"]),
            ("--url takes an address", ["fixed", "--url", "ftp://x"]),
            ("trace:1: expected the seconds", ["fixed", "--url", self.http, "--arrivals", self.write("trace", "x")]),
            ("can't be written", ["fixed", "--url", self.http, *QUICK, "--report", "/nosuch/page.html"]),
        ):
            with self.subTest(expected):
                error = self.bench(*arguments, status=1)
                self.assertTrue(error.startswith("error: "), error)
                self.assertIn(expected, error)

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name

    def start(self, server, *arguments):
        return subprocess.Popen(
            [self.program, "bench", "fixed", "--url", f"http://127.0.0.1:{server.http_port}", "--stability=0.001",
             "--max-windows=1000", "--window=100ms", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def wait_for_load(self, server):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            stats = json.loads(server.get("/v2/models/fixed/stats")[2])["model_stats"][0]
            if stats["inference_count"] > 500:
                return
            time.sleep(0.02)
        raise AssertionError("there is no load")

    def test_interrupt_shows_what_there_is(self):
        with Server(self.program, {"fixed": MODELS["fixed"]}) as server:
            process = self.start(server)
            self.wait_for_load(server)
            process.send_signal(signal.SIGINT)
            output, error = process.communicate(timeout=30)
            self.assertEqual(process.returncode, 130, output + error)
            self.assertIn("it was ended before the windows agreed", output)

    def test_a_server_that_dies(self):
        for url in ("http", "grpc"):
            with Server(self.program, {"fixed": MODELS["fixed"]}) as server:
                process = self.start(server, "--url", f"{url}://127.0.0.1:{getattr(server, url + '_port')}")
                self.wait_for_load(server)
                server.process.kill()
                output, error = process.communicate(timeout=30)
                server.process.wait()
                server.process.returncode = 0
                self.assertEqual(process.returncode, 1, output + error)
                self.assertRegex(error, "does not answer any more|all [0-9]+ requests have failed: connection lost")
                self.assertIn("infer/s", output)
