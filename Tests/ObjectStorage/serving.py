"""Models from S3: served, polled, loaded and unloaded by name."""

import json
import os
import subprocess

from lifecycle import ask, infer, load
from stores import SECRET, S3Test, until


def index(server):
    """Which versions of which models are ready."""
    entries = json.loads(server.request("POST", "/v2/repository/index", "{}")[2])
    return {(entry["name"], entry.get("version")) for entry in entries if entry.get("state") == "READY"}


class Serving(S3Test):
    def test_models_are_served_and_stay_for_the_next_start(self):
        self.put_model("one")
        self.put_model("two")
        self.put("models/two/1/weights+ü&.bin", b"x" * 100_000)
        location = f"s3://{self.bucket}/models"
        with self.server(location, **self.access()) as server:
            self.assertEqual(infer(server, "one")[0], 200)
            self.assertEqual(index(server), {("one", "1"), ("two", "1")})
            self.assertIn("copied models", server.text())
        self.assertEqual(self.copies()["two/1/weights+ü&.bin"].read_bytes(), b"x" * 100_000)
        with self.server(location, **self.access()) as server:
            self.assertEqual(infer(server, "two")[0], 200)
            self.assertNotIn("copied models", server.text())

    def test_whom_to_talk_to_stands_in_the_address(self):
        self.put_model("one")
        access = self.access()
        del access["AWS_ENDPOINT_URL"]
        for location in (f"s3://{self.url}/{self.bucket}/models/", f"s3://127.0.0.1:{self.port}/{self.bucket}/models"):
            with self.server(location, **access) as server:
                self.assertEqual(infer(server, "one")[0], 200)

    def test_one_model_without_a_repository_around_it(self):
        self.put_model("one")
        with self.server(f"s3://{self.bucket}/models/one", **self.access()) as server:
            self.assertEqual(infer(server, "one")[0], 200)

    def test_polling(self):
        self.put_model("one")
        self.put_model("two")
        flags = ["--model-control-mode=poll", "--repository-poll-secs=1"]
        with self.server(f"s3://{self.bucket}/models", *flags, **self.access()) as server:
            self.assertEqual(index(server), {("one", "1"), ("two", "1")})
            self.put_model("three")
            self.put_model("one", versions=(2,))
            self.s3.delete_object(Bucket=self.bucket, Key="models/two/config.pbtxt")
            self.s3.delete_object(Bucket=self.bucket, Key="models/two/1/")
            until(lambda: index(server) == {("one", "2"), ("three", "1")}, "three came, one has a version more, two went", server)
            self.assertFalse([path for path in self.copies() if path.startswith("two/")])
            # What the store has not any more at all is rather an error than a wish.
            for key in ("three/config.pbtxt", "three/1/", "one/config.pbtxt", "one/1/", "one/2/"):
                self.s3.delete_object(Bucket=self.bucket, Key=f"models/{key}")
            until(lambda: "there is nothing under 'models/'" in server.text(), "the empty store is noticed", server)
            self.assertEqual(index(server), {("one", "2"), ("three", "1")})

    def test_models_by_name(self):
        self.put_model("one")
        self.put_model("two")
        flags = ["--model-control-mode=explicit", "--load-model=one"]
        with self.server(f"s3://{self.bucket}/models", *flags, **self.access()) as server:
            names = {entry["name"] for entry in json.loads(server.request("POST", "/v2/repository/index", "{}")[2])}
            self.assertEqual(names, {"one", "two"})
            self.assertEqual(infer(server, "one")[0], 200)
            self.assertFalse([path for path in self.copies() if path.startswith("two/")])
            self.assertEqual(load(server, "two")[0], 200)
            self.assertEqual(infer(server, "two")[0], 200)
            # It is fetched anew whenever it is loaded.
            self.put_model("two", max_batch_size=32)
            self.assertEqual(load(server, "two")[0], 200)
            self.assertEqual(json.loads(server.get("/v2/models/two/config")[2])["max_batch_size"], 32)
            self.assertEqual(ask(server, "/v2/repository/models/two/unload")[0], 200)
            self.assertNotEqual(infer(server, "two")[0], 200)
            self.assertEqual(load(server, "two")[0], 200)
            # One that came later.
            self.put_model("three")
            self.assertEqual(load(server, "three")[0], 200)
            status, text = load(server, "nothing")
            self.assertNotEqual(status, 200)
            self.assertIn("failed to poll from model repository", text)

    def test_an_ensemble_brings_what_it_needs(self):
        self.put_model("one", max_batch_size=0)
        tensor = 'name: "%s" data_type: TYPE_FP32 dims: [ -1 ]'
        text = f"""platform: "ensemble"\ninput [ {{ {tensor % "X"} }} ]\noutput [ {{ {tensor % "Y"} }} ]
            ensemble_scheduling {{ step [ {{ model_name: "one" model_version: -1
              input_map {{ key: "INPUT0" value: "X" }} output_map {{ key: "OUTPUT0" value: "Y" }} }} ] }}"""
        self.put("models/both/1/")
        self.put("models/both/config.pbtxt", text.encode())
        with self.server(f"s3://{self.bucket}/models", "--model-control-mode=explicit", **self.access()) as server:
            self.assertEqual(load(server, "both"), (200, ""))
            self.assertEqual(index(server), {("both", "1"), ("one", "1")})

    def test_web_identity_and_profile(self):
        self.put_model("one")
        token = self.folder / "token"
        token.write_text("a.b.c")
        with self.server(
            f"s3://{self.bucket}/models", AWS_ENDPOINT_URL=self.url, AWS_WEB_IDENTITY_TOKEN_FILE=str(token),
            AWS_ROLE_ARN="arn:aws:iam::123456789012:role/models",
        ) as server:  # fmt: skip
            self.assertIn("a web identity", server.text())
        config = self.folder / "config"
        config.write_text(f"[profile models]\nendpoint_url = {self.url}\naws_access_key_id = maker\naws_secret_access_key = {SECRET}\n")
        with self.server(f"s3://{self.bucket}/models", AWS_CONFIG_FILE=str(config), AWS_PROFILE="models") as server:
            self.assertIn("the profile 'models' of ~/.aws", server.text())

    def test_a_limit_on_copies(self):
        self.put_model("one")
        self.put("models/one/1/large", b"x" * 5000)
        text = self.refusal(f"s3://{self.bucket}/models", "--model-cache-byte-size=4000", **self.access())
        self.assertIn("they may take 4000 (--model-cache-byte-size)", text)

    def test_commands_that_look(self):
        self.put_model("one")
        environment = {**os.environ, **self.environment(**self.access(), XDG_CACHE_HOME=str(self.folder))}

        def run(*arguments):
            result = subprocess.run([self.program, *arguments], capture_output=True, text=True, timeout=60, env=environment)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertNotIn(SECRET, result.stdout + result.stderr)
            return result.stdout

        location = f"s3://{self.bucket}/models"
        self.assertIn("0 errors", run("lint", location))
        self.assertIn('backend: "identity"', run("config", "one", "--model-repository", location))
        self.assertTrue((self.folder / "halcyon" / "models").is_dir())
