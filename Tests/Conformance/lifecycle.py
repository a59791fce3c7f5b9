"""How models come and go, and how the server starts, over the wire and on the command line."""

import json
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from server import Server, identity

def ask(server, path, body=None):
    status, _, answer = server.request("POST", path, json.dumps(body or {}))
    return status, answer.decode()


def load(server, name, **parameters):
    return ask(server, f"/v2/repository/models/{name}/load", {"parameters": parameters} if parameters else {})


def infer(server, name, version=None):
    body = {"inputs": [{"name": "INPUT0", "datatype": "FP32", "shape": [1, 1], "data": [1]}]}
    path = f"/v2/models/{name}/versions/{version}/infer" if version else f"/v2/models/{name}/infer"
    return ask(server, path, body)


class Lifecycle(unittest.TestCase):
    program = ""

    def test_words_of_refusals(self):
        models = {"m": identity(["FP32"])}
        with Server(self.program, models, "--model-control-mode=EXPLICIT") as server:
            unread = "failed to load 'm', failed to poll from model repository: "
            self.assertIn(unread, load(server, "m", config="no JSON")[1])
            self.assertIn(unread, load(server, "m", **{"config": "{}", "file:../../x": "YQ=="})[1])
            self.assertIn("failed to load 'nothing', failed to poll", load(server, "nothing")[1])
            self.assertIn(unread, load(server, "m", **{"file:1/model.onnx": "YQ=="})[1])
            # What is not loaded is unloaded already.
            for name in ["m", "nothing"]:
                self.assertEqual(ask(server, f"/v2/repository/models/{name}/unload")[0], 200)
            self.assertEqual(load(server, "m")[0], 200)
            self.assertEqual(infer(server, "m", 7)[0], 404)
            self.assertEqual(ask(server, "/v2/repository/models/m/unload")[0], 200)
            status, text = infer(server, "m", 1)
            self.assertEqual(status, 503)
            self.assertIn("version 1 is not at ready state", text)
            self.assertEqual(infer(server, "m")[0], 404)
            self.assertEqual(server.get("/v2/health/ready")[0], 200)

    def test_one_object_for_a_list_and_instances_in_place(self):
        models = {"m": identity(["FP32"])}
        with Server(self.program, models, "--model-control-mode=explicit", "--load-model=m") as server:
            self.assertEqual(infer(server, "m")[0], 200)
            config = json.loads(server.get("/v2/models/m/config")[2])
            text = (server.folder / "models" / "m" / "config.pbtxt").read_text()
            (server.folder / "models" / "m" / "config.pbtxt").write_text(text + "instance_group { count: 3 kind: KIND_CPU }")
            self.assertEqual(load(server, "m")[0], 200)
            changed = json.loads(server.get("/v2/models/m/config")[2])
            self.assertEqual(changed["instance_group"][0]["count"], 3)
            config["instance_group"] = changed["instance_group"]
            self.assertEqual(config, changed)
            statistics = json.loads(server.get("/v2/models/m/stats")[2])["model_stats"][0]
            self.assertEqual(statistics["inference_count"], 1)
            # A request's configuration, which is no JSON of ours.
            config["instance_group"] = {"count": 2, "kind": "KIND_CPU"}
            self.assertEqual(load(server, "m", config=json.dumps(config))[0], 200)
            changed = json.loads(server.get("/v2/models/m/config")[2])
            self.assertEqual(changed["instance_group"][0]["count"], 2)


class Start(unittest.TestCase):
    program = ""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def refusal(self, *flags):
        """What a server that does not start says."""
        command = [self.program, "serve", f"--model-repository={self.folder}", "--http-port=0", "--grpc-port=0", *flags]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertNotEqual(result.returncode, 0, result.stderr)
        return result.stderr

    def test_refused_flags(self):
        text = self.refusal("--response-cache-byte-size=12345", "--cache-config=local,size=67890")
        self.assertIn("Incompatible flags --response-cache-byte-size and --cache-config both provided.", text)
        text = self.refusal("--model-control-mode=explicit", "--load-model=*", "--load-model=m")
        self.assertIn("Wildcard model name '*' must be the ONLY startup model", text)
        text = self.refusal("--log-v=1", "--strict=false")
        self.assertIn("option '--strict' is ambiguous; possibilities: '--strict-model-config' '--strict-readiness'", text)
        self.assertIn("does not exist", self.refusal("--model-repository=/no/such/folder"))
        self.assertIn("--model-config-name takes", self.refusal("--model-config-name", "../secret"))

    def test_values_in_capitals_and_beginnings_of_flags(self):
        flags = ["--model-control-mode=EXPLICIT", "--rate-limit=Off", "--strict-read", "FALSE", "--log-warn=false",
                 "--grpc-infer-response-compression=LOW"]  # fmt: skip
        with Server(self.program, {"m": identity(["FP32"])}, *flags) as server:
            self.assertEqual(load(server, "m")[0], 200)

    def test_missing_repository(self):
        server = Server(self.program, {}, f"--model-repository={self.folder}/nothing", "--exit-on-error=false")
        server.start()
        try:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                try:
                    if server.get("/v2/health/live")[0] == 200:
                        break
                except OSError:
                    time.sleep(0.02)
            self.assertEqual(server.get("/v2")[0], 200)
            self.assertEqual(server.get("/v2/health/ready")[0], 400)
        finally:
            status, text = server.end()
        self.assertEqual(status, 0, text)

    def test_configuration_by_name(self):
        configs = self.folder / "configs"
        configs.mkdir()
        (configs / "wide.pbtxt").write_text(identity(["FP32"], max_batch_size=32))
        shutil.copytree(configs, self.folder / "m" / "configs")
        (self.folder / "m" / "1").mkdir()
        shutil.rmtree(configs)
        result = subprocess.run(
            [self.program, "config", "m", f"--model-repository={self.folder}", "--model-config-name=wide", "--explain"],
            capture_output=True, text=True, timeout=60)  # fmt: skip
        self.assertIn("max_batch_size: 32", result.stdout)
        self.assertIn("configs/wide.pbtxt:2:17", result.stdout)

    def test_links(self):
        store = self.folder / "store"
        (store / "1").mkdir(parents=True)
        (store / "config.pbtxt").write_text(identity(["FP32"]))
        repository = self.folder / "repository"
        repository.mkdir()
        (repository / "m").symlink_to("../store")
        lint = [self.program, "lint", str(repository)]
        refused = subprocess.run(lint, capture_output=True, text=True, timeout=60)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("--follow-links", refused.stdout)
        followed = subprocess.run([*lint, "--follow-links"], capture_output=True, text=True, timeout=60)
        self.assertEqual((followed.returncode, followed.stdout), (0, "0 errors, 0 warnings\n"))
        with Server(self.program, {"n": identity(["FP32"])}, f"--model-repository={repository}", "--follow-links") as server:
            self.assertEqual(infer(server, "m")[0], 200)
