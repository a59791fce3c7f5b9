"""The dashboard and the alerts against a real Prometheus that watches a real server with something to do."""

import contextlib
import json
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

from gpu import COMPILER, fake_driver
from server import ROOT, Server, free_port, identity
from tools import needs

MONITORING = ROOT / "Deployment" / "monitoring"
CACHE = "response_cache { enable: true }"
QUEUE = "dynamic_batching { max_queue_delay_microseconds: 2000 default_queue_policy { max_queue_size: 2 } }"

ISOLATED = 'parameters { key: "isolation" value { string_value: "process" } }'


@needs("promtool", "prometheus")
class Rules(unittest.TestCase):
    def test_the_rules_are_valid_and_alert_when_they_should(self):
        for command in (["check", "rules", "alerts.yaml"], ["test", "rules", "alerts_test.yaml"]):
            run = subprocess.run(["promtool", *command], cwd=MONITORING, capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)


@needs("prometheus", "prometheus")
@unittest.skipUnless(COMPILER, "there is no C compiler for the made-up driver of GPUs")
class Scraped(unittest.TestCase):
    program = ""

    @classmethod
    def setUpClass(cls):
        driver = fake_driver()
        cls.addClassCleanup(shutil.rmtree, driver)
        # Pinned memory has a pool where a GPU has been used, as a model on it does.
        server = Server(
            cls.program,
            {"batched": identity(["FP32"], lines=QUEUE), "cached": identity(["FP32"], lines=CACHE),
             "isolated": identity(["FP32"], lines=ISOLATED)},
            "--cache-config=local,size=1000000", "--metrics-interval-ms=200",
        )  # fmt: skip
        server.environment["LD_LIBRARY_PATH"] = str(driver)
        cls.server = cls.enterClassContext(server)
        # The worker of the isolated model is the server's only child.
        subprocess.run(["pkill", "-KILL", "-P", str(server.process.pid)], check=True)
        cls.enterClassContext(cls.load())
        cls.enterClassContext(cls.prometheus())

    @classmethod
    @contextlib.contextmanager
    def load(cls):
        """Requests to both models, some of which fail, for as long as the tests take and a minute at most."""
        end = time.monotonic() + 60
        ended = threading.Event()

        def client(number):
            count = 0
            while not ended.wait(0.02) and time.monotonic() < end:
                count += 1
                value = count % 3 if number % 2 else count
                tensor = {"name": "INPUT0", "datatype": "FP32", "shape": [1, 1], "data": [value]}
                document = {"inputs": [tensor] if count % 7 else []}
                with contextlib.suppress(OSError):
                    cls.server.request("POST", f"/v2/models/{MODELS[number % 2]}/infer", json.dumps(document))

        threads = [threading.Thread(target=client, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ended.set()
            for thread in threads:
                thread.join()

    @classmethod
    @contextlib.contextmanager
    def prometheus(cls):
        folder = Path(tempfile.mkdtemp(prefix="halcyon-prometheus-"))
        target = f"127.0.0.1:{cls.server.metrics_port}"
        (folder / "prometheus.yaml").write_text(
            "global: {scrape_interval: 500ms, evaluation_interval: 500ms}\n"
            f"rule_files: ['{MONITORING}/alerts.yaml']\n"
            "scrape_configs:\n"
            f"  - {{job_name: halcyon, static_configs: [{{targets: ['{target}']}}]}}\n"
        )
        cls.address = f"127.0.0.1:{free_port()}"
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(
                ["prometheus", f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/data",
                 f"--web.listen-address={cls.address}"], stdout=log, stderr=log,
            )  # fmt: skip
        try:
            cls.wait(process, folder / "log")
            yield
        finally:
            process.terminate()
            process.wait()
            shutil.rmtree(folder)

    @classmethod
    def wait(cls, process, log):
        """Until it has seen enough for rates over ten seconds."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise AssertionError(f"prometheus ended with {process.returncode}:\n{log.read_text()[-2000:]}")
            with contextlib.suppress(OSError):
                found = cls.query("count_over_time(nv_inference_request_success[10s])")
                if found and min(float(sample["value"][1]) for sample in found) >= 5:
                    return
            time.sleep(0.2)
        raise AssertionError("prometheus has not seen the server in a minute")

    @classmethod
    def api(cls, path):
        with urllib.request.urlopen(f"http://{cls.address}/api/v1/{path}", timeout=10) as answer:
            return json.load(answer)["data"]

    @classmethod
    def query(cls, text):
        return cls.api(f"query?{urllib.parse.urlencode({'query': text})}")["result"]

    def test_every_panel_shows_something(self):
        panels = [panel for panel in json.loads((MONITORING / "dashboard.json").read_text())["panels"] if panel.get("targets")]
        self.assertGreater(len(panels), 20)
        empty = []
        for panel in panels:
            for target in panel["targets"]:
                text = target["expr"].replace("$__rate_interval", "10s")
                text = re.sub(r"\$(job|instance|model)\b", ".*", text)
                if not self.query(text):
                    empty.append(f"{panel['title']}: {text}")
        self.assertEqual(empty, [])

    def test_the_numbers_are_those_of_the_load(self):
        answers = self.query('sum(rate(nv_inference_request_success{model="batched"}[10s]))')
        self.assertGreater(float(answers[0]["value"][1]), 1)
        hits = self.query("sum(increase(nv_cache_num_hits_per_model[10s]))")
        self.assertGreater(float(hits[0]["value"][1]), 1)

    def test_the_rules_can_be_evaluated_and_nothing_alerts_without_reason(self):
        rules = [rule for group in self.api("rules")["groups"] for rule in group["rules"]]
        self.assertGreater(len(rules), 5)
        for rule in rules:
            self.assertEqual(rule["health"], "ok", rule)
        self.assertEqual([alert for alert in self.api("alerts")["alerts"] if alert["state"] == "firing"], [])

    def test_every_variable_of_the_dashboard_has_values(self):
        for label in ("job", "instance", "model"):
            self.assertTrue(self.api(f"label/{label}/values"), label)

    def test_what_the_autoscaler_asks_for_has_an_answer_of_each_pod(self):
        text = (MONITORING / "adapter.yaml").read_text()
        queries = re.findall(r"metricsQuery: '(.*)'", text)
        self.assertEqual(len(queries), 2)
        for query in queries:
            found = self.query(query.replace("<<.LabelMatchers>>", 'job="halcyon"').replace("<<.GroupBy>>", "instance"))
            self.assertEqual(len(found), 1, query)
            self.assertGreaterEqual(float(found[0]["value"][1]), 0)


MODELS = ["batched", "cached"]
