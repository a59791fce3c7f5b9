"""The worker as a process: lines of JSON, an exit status, and an end when its parent is gone."""

import json
import subprocess
import sys
import unittest

import models
from support import WORKER, ConversionTest


class Protocol(ConversionTest):
    def start(self, *arguments):
        return subprocess.Popen(
            [sys.executable, "-B", str(WORKER / "convert_model.py"), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
        )

    def run_worker(self, *arguments):
        worker = self.start(*arguments)
        # The standard input stays open until the worker has ended by itself.
        lines = [json.loads(line) for line in worker.stdout]
        status = worker.wait()
        for stream in (worker.stdin, worker.stdout, worker.stderr):
            stream.close()
        return status, lines

    def test_a_result(self):
        job = self.job(models.convolution(self.folder / "m.onnx"), verify=True)
        status, lines = self.run_worker(str(job))
        self.assertEqual(status, 0)
        self.assertEqual(lines[0]["step"], "reading the model")
        seconds = [line["seconds"] for line in lines if "step" in line]
        self.assertEqual(seconds, sorted(seconds))
        self.assertIn({"progress": {"done": 4, "total": 4}}, lines)
        self.assertEqual(list(lines[-1]), ["result"])
        self.assertEqual(sum("result" in line or "error" in line for line in lines), 1)

    def test_an_error(self):
        (self.folder / "m.onnx").write_bytes(b"nothing of the kind")
        status, lines = self.run_worker(str(self.job(self.folder / "m.onnx")))
        self.assertEqual(status, 1)
        self.assertEqual(lines[-1]["error"]["code"], "invalid_argument")

    def test_wrong_arguments_and_jobs(self):
        for arguments in ((), ("a", "b"), (str(self.folder / "absent.json"),)):
            status, lines = self.run_worker(*arguments)
            self.assertEqual(status, 1)
            self.assertEqual(list(lines[-1]), ["error"])
        job = self.folder / "job.json"
        for text in ("", "[]", "{}", '{"model": 1}'):
            job.write_text(text)
            status, lines = self.run_worker(str(job))
            self.assertEqual(lines[-1]["error"]["code"], "invalid_argument", text)

    def test_the_end_of_the_parent(self):
        model = models.convolution(self.folder / "m.onnx")
        # A conversion that has long to go: it reads its job from a pipe that nobody writes to.
        pipe = self.folder / "pipe"
        subprocess.run(["mkfifo", str(pipe)], check=True)
        worker = self.start(str(pipe))
        worker.stdin.close()
        self.assertEqual(worker.wait(), 1)
        self.assertEqual(worker.stdout.read(), b"")
        worker.stdout.close()
        worker.stderr.close()
        self.assertTrue(model.exists())


if __name__ == "__main__":
    unittest.main()
