"""Errors that say what to do: at the start of a server, in requests that are none, in its log and in its commands."""

import json
import re
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

import tritonclient.grpc
from raw_sockets import infer_body
from server import Server, free_port, identity

MODELS = {"fast": identity(["FP32"], dims="2")}


class StartErrors(unittest.TestCase):
    program = ""

    def refused(self, *flags):
        server = Server(self.program, MODELS, *flags)
        with self.assertRaises(AssertionError) as caught, server:
            pass
        return str(caught.exception)

    def test_a_taken_port_names_its_flag_and_no_model(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            for name in ("http", "grpc", "metrics"):
                text = self.refused(f"--{name}-port={port}")
                self.assertIn(f"can't listen on 127.0.0.1:{port}: Address already in use", text)
                self.assertIn(f"--{name}-port names another port", text)
                self.assertNotIn("model failed to load", text)

    def test_addresses_that_are_none(self):
        for address, reason in [("0.0.0.0:1", "has a port in it"), ("http://0.0.0.0", "has a scheme")]:
            text = self.refused(f"--http-address={address}")
            self.assertIn("--http-address and --http-port: ", text)
            self.assertIn(reason, text)

    def test_brackets_around_an_address_are_taken(self):
        if not socket.has_dualstack_ipv6():
            self.skipTest("this machine has no IP version 6")
        with Server(self.program, MODELS, "--http-address=[::]") as server:
            self.assertEqual(server.request("GET", "/v2/health/live")[0], 200)

    def test_stores_that_are_no_folders(self):
        # Stores that are read: Tests/ObjectStorage.
        for path in ("hf://name/model", "abfs://container@account/models", "https://host/models"):
            arguments = [self.program, "serve", f"--model-repository={path}", f"--http-port={free_port()}"]
            result = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
            self.assertEqual(result.returncode, 1)
            self.assertRegex(result.stderr, "mount it as a folder, or copy it into one|copy the models into a folder")


class Bodies(unittest.TestCase):
    program = ""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server(cls.program, MODELS, "--log-verbose=1"))

    def refused(self, body, headers=None, path="/v2/models/fast/infer"):
        status, _, answer = self.server.request("POST", path, body, headers)
        self.assertEqual(status, 400)
        return json.loads(answer)["error"]

    def test_bodies_that_are_no_json(self):
        form = {"Content-Type": "multipart/form-data; boundary=abc"}
        for path in ("/v2/models/fast/infer", "/v2/models/fast/generate", "/v2/repository/index"):
            self.assertIn("multipart/form-data is not taken", self.refused(b"--abc\r\n\r\n--abc--", form, path))
        self.assertIn("curl --data-binary @FILE", self.refused(b"inputs=%5B%5D"))
        self.assertIn("--data-binary @FILE", self.refused(b"@body.json"))
        self.assertIn("Content-Encoding: gzip", self.refused(b"\x1f\x8b\x08\x00"))
        self.assertIn("double quotes", self.refused(b"{'inputs': []}"))

    def test_datatypes_by_other_names(self):
        for name in ("fp32", "float32", "TYPE_FP32"):
            body = infer_body(data_type=name)
            self.assertIn("did you mean 'FP32'?", self.refused(body))
        with tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{self.server.grpc_port}") as client:
            tensor = tritonclient.grpc.InferInput("INPUT0", [1, 2], "float32")
            tensor._raw_content = bytes(8)
            with self.assertRaisesRegex(Exception, "did you mean 'FP32'"):
                client.infer("fast", [tensor])

    def test_the_metadata_has_the_extension_sequence(self):
        self.assertIn("sequence", json.loads(self.server.get("/v2")[2])["extensions"])
        with tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{self.server.grpc_port}") as client:
            self.assertIn("sequence", client.get_server_metadata().extensions)

    def test_log_lines_have_file_and_line(self):
        line = r"^[IWE]\d{4} \d{2}:\d{2}:\d{2}\.\d{6} \d+ [\w.+]+\.swift:\d+\] "
        text = self.server.text()
        self.assertRegex(text, re.compile(line + f"Started HTTPService at 127.0.0.1:{self.server.http_port}", re.M))
        self.assertRegex(text, re.compile(line + "successfully loaded 'fast'", re.M))
        with Server(self.program, MODELS, "--log-format=ISO8601") as server:
            self.assertRegex(
                server.text(), re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ I \d+ \w+\.swift:\d+\] Started HTTP", re.M)
            )


class Files(unittest.TestCase):
    program = ""

    def test_a_configuration_in_json_becomes_text(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "m" / "1").mkdir(parents=True)
        written = {"name": "m", "backend": "identity", "max_batch_size": 4}
        for field in ("input", "output"):
            written[field] = [{"name": field.upper(), "data_type": "TYPE_FP32", "dims": [2]}]
        file = folder / "m" / "config.pbtxt"
        file.write_text(json.dumps(written))
        lint = [self.program, "lint", str(folder)]
        refused = subprocess.run(lint, capture_output=True, text=True, timeout=60)
        self.assertEqual((refused.returncode, refused.stdout.splitlines()[-1]), (1, "1 errors, 0 warnings"))
        self.assertIn("this is JSON", refused.stdout)
        command = [self.program, "config", "--file", str(file), "--format", "pbtxt"]
        text = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(text.returncode, 0, text.stderr)
        file.write_text(text.stdout)
        self.assertEqual(subprocess.run(lint, capture_output=True, timeout=60).returncode, 0)
