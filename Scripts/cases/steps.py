"""Carries out one case, in the network that it was given: python3 steps.py TASK RESULT

RESULT gets the list of what was not right. What the case prints goes to standard output.
"""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CLIENTS = ROOT / ".deps" / "clients" / "bin"
CONFORMANCE = ROOT / ".deps" / "conformance" / "bin" / "python"
PORTS = {"HTTP_PORT": "8000", "GRPC_PORT": "8001", "METRICS_PORT": "8002"}
# Of one exchange, and of a server's start.
SECONDS = 60


class Wrong(Exception):
    """What is not right, in a sentence."""


class Runner:
    def __init__(self, task):
        self.folder = Path(task["folder"])
        self.expectation = task["expectation"]
        self.program = task["halcyon"]
        self.server = None
        self.variables = {}
        # Commands say `halcyon`, whatever the program's file is called.
        named = self.folder.parent / ".bin"
        named.mkdir(exist_ok=True)
        (named / "halcyon").symlink_to(self.program)
        path = os.pathsep.join([str(CLIENTS), str(named), os.environ["PATH"]])
        self.environment = {
            **os.environ, **PORTS, "PATH": path, "HALCYON": self.program, "BACKENDS": task["backends"],
            "HALCYON_BACKENDS": task["backends"], "PYTHON": str(CLIENTS / "python"), "PYTHONDONTWRITEBYTECODE": "1",
            "ONNX_PYTHON": str(CONFORMANCE), "SWIFT_BACKTRACE": "enable=no", "CASES": str(ROOT / "Tests" / "Cases"), "ROOT": str(ROOT),
        }  # fmt: skip

    def run(self):
        """The problems that were found."""
        if self.expectation is None:
            return self.unknown()
        for path, text in self.expectation.get("files", {}).items():
            place = self.folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode())
        for command in self.expectation.get("prepare", []):
            status, text = self.command(command)
            if status != 0:
                return [f"`{command}` ended with {status}: {text[-300:]}"]
        problems = []
        try:
            if "serve" in self.expectation:
                self.start(self.expectation["serve"])
            for check in self.expectation["checks"]:
                try:
                    self.check(check)
                except Wrong as problem:
                    problems.append(f"{name_of(check)}: {problem}")
        except Wrong as problem:
            problems.append(str(problem))
        finally:
            self.stop()
        return problems

    def unknown(self):
        """Runs what can be run of a case without an expectation."""
        if (self.folder / "run.sh").is_file():
            self.command("bash run.sh")
            return []
        for script in ("setup.sh", "make.sh"):
            if (self.folder / script).is_file():
                self.command(f"bash {script}")
        repository = next((n for n in ("repository", "models", "current") if (self.folder / n).is_dir()), None)
        if repository is None:
            return ["nothing in it can be run alone"]
        try:
            self.start({"repository": repository})
            self.index()
            return []
        except Wrong as problem:
            return [str(problem)]
        finally:
            self.stop()

    def command(self, command, seconds=SECONDS):
        environment = {**self.environment, **self.variables}
        process = subprocess.Popen(
            ["bash", "-c", command], cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.communicate()
            raise Wrong(f"not done after {seconds} s") from None
        text = output.decode(errors="replace")
        print(f"$ {command}\n{text}", flush=True)
        return process.returncode, text

    def start(self, serve):
        """A server on the usual ports; the case fails where it does not come up."""
        self.stop()
        self.log = self.folder / "server.log"
        repositories = serve.get("repository", "repository")
        repositories = [repositories] if isinstance(repositories, str) else repositories
        command = [
            self.program, "serve", *(f"--model-repository={self.expand(each)}" for each in repositories),
            f"--backend-directory={self.environment['BACKENDS']}", "--exit-on-error=false", "--strict-readiness=false",
            *(self.expand(flag) for flag in serve.get("flags", [])),
        ]  # fmt: skip
        if limits := serve.get("limits"):
            command = ["prlimit", *limits, *command]
        begun = time.monotonic()
        self.server = subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdout=self.log.open("w"), stderr=subprocess.STDOUT
        )
        self.variables["SERVER_PID"] = str(self.server.pid)
        seconds = serve.get("seconds", SECONDS)
        while time.monotonic() < begun + seconds:
            if self.server.poll() is not None:
                raise Wrong(f"the server ended with {self.server.returncode}:\n{self.log_text()[-1500:]}")
            try:
                if self.exchange("GET", "/v2/health/ready")[0] == 200:
                    print(f"ready after {time.monotonic() - begun:.1f} s", flush=True)
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.05)
        raise Wrong(f"the server is not ready after {seconds} s:\n{self.log_text()[-1500:]}")

    def expand(self, text):
        return re.sub(r"\$([A-Z_]+)", lambda found: self.environment.get(found[1], found[0]), text)

    def stop(self):
        if self.server is not None and self.server.poll() is None:
            self.server.terminate()
            try:
                self.server.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()
        self.server = None

    def log_text(self):
        return self.log.read_text(errors="replace")

    def exchange(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", int(PORTS["HTTP_PORT"]), timeout=SECONDS)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        finally:
            connection.close()

    def index(self):
        try:
            status, text = self.exchange("POST", "/v2/repository/index", "{}")
        except (OSError, http.client.HTTPException) as problem:
            raise Wrong(f"no answer: {problem or type(problem).__name__}\n{self.log_text()[-800:]}") from None
        print(f"POST /v2/repository/index\n{status} {text}", flush=True)
        return json.loads(text)

    def check(self, check):
        if "models" in check:
            self.check_states(check)
        elif "run" in check:
            status, text = self.command(check["run"], check.get("seconds", SECONDS))
            if "exit" in check and status != check["exit"]:
                raise Wrong(f"it ended with {status}, and {check['exit']} is right:\n{text[-600:]}")
            compare(text, check)
        elif "restart" in check:
            self.start(check["restart"])
        elif "log" in check:
            self.wait_for_log(check)
        elif "alive" in check:
            self.index()
        else:
            method = "get" if "get" in check else "post"
            self.check_answer(method.upper(), check[method], check)

    def check_states(self, check):
        wanted, name = check["state"], check["models"]
        found = [model for model in self.index() if name in ("*", model["name"])]
        if not found:
            raise Wrong(f"the index has no model '{name}'")
        for model in found:
            if model.get("state", "UNAVAILABLE") != wanted:
                raise Wrong(f"{model['name']} is {model.get('state')}: {model.get('reason', '')}")

    def wait_for_log(self, check):
        """The log may be written a moment later than what it tells of."""
        for _ in range(50):
            try:
                return compare(self.log_text(), check)
            except Wrong as problem:
                last = problem
            time.sleep(0.1)
        raise last

    def check_answer(self, method, path, check):
        body = check.get("body")
        if isinstance(body, str) and (self.folder / body).is_file():
            body = (self.folder / body).read_text()
        elif body is not None and not isinstance(body, str):
            body = json.dumps(body)
        # Until it is so: what happens by itself, as polling, has its time.
        attempts = int(check.get("within", 0) * 10) + 1
        for attempt in range(attempts):
            try:
                status, text = self.exchange(method, path, body, check.get("headers"))
                if "status" in check and status != check["status"]:
                    raise Wrong(f"status {status}, and {check['status']} is right: {text[:600]}")
                compare(text, check)
                print(f"{method} {path}\n{status} {text[:2000]}", flush=True)
                return
            except (OSError, http.client.HTTPException) as problem:
                failure = Wrong(f"no answer: {problem or type(problem).__name__}\n{self.log_text()[-800:]}")
            except Wrong as problem:
                failure = problem
            if attempt + 1 < attempts:
                time.sleep(0.1)
        raise failure


def name_of(check):
    for kind in ("run", "get", "post", "models", "log", "alive", "restart"):
        if kind in check:
            return check.get("about") or (f"`{check['run'][:100]}`" if kind == "run" else f"{kind} {check[kind]}")
    return json.dumps(check)[:80]


def as_list(value):
    return [value] if isinstance(value, str) else value


def compare(text, check):
    """Raises Wrong where a text is not what a check asks for."""
    for part in as_list(check.get("contains", [])):
        if part not in text:
            raise Wrong(f"it lacks {part!r}: {text[-900:]}")
    for part in as_list(check.get("absent", [])):
        if part in text:
            raise Wrong(f"it has {part!r}: {text[-900:]}")
    for pattern in as_list(check.get("matches", [])):
        if not re.search(pattern, text, re.MULTILINE | re.IGNORECASE):
            raise Wrong(f"nothing in it matches {pattern!r}: {text[-900:]}")
    for pattern in as_list(check.get("unmatched", [])):
        if found := re.search(pattern, text, re.MULTILINE | re.IGNORECASE):
            raise Wrong(f"{found.group()!r} matches {pattern!r}: {text[-900:]}")
    for word, holds in (("below", lambda a, b: a < b), ("above", lambda a, b: a > b)):
        for pattern, bound in check.get(word, {}).items():
            values = [float(value) for value in re.findall(pattern, text, re.MULTILINE)]
            if not values:
                raise Wrong(f"no number matches {pattern!r}: {text[-900:]}")
            for value in values:
                if not holds(value, bound):
                    raise Wrong(f"{value} of {pattern!r} is not {word} {bound}")
    if "text" in check:
        compare_lines(text, check["text"])
    if check.get("is") or check.get("near"):
        compare_values(text, check)


def compare_lines(text, expected):
    """Line by line, without the ends; `...` in a line stands for anything."""
    got, right = (value.rstrip().splitlines() for value in (text, expected))
    for index, line in enumerate(right):
        pattern = ".*".join(re.escape(part) for part in line.rstrip().split("..."))
        if index >= len(got) or not re.fullmatch(pattern, got[index].rstrip()):
            came = repr(got[index]) if index < len(got) else "nothing"
            raise Wrong(f"line {index + 1} is {came}, and {line!r} is right")
    if len(got) > len(right):
        raise Wrong(f"a line too many: {got[len(right)]!r}")


def compare_values(text, check):
    try:
        document = json.loads(text)
    except ValueError:
        raise Wrong(f"no JSON: {text[:600]}") from None
    for path, right in check.get("is", {}).items():
        value = at(document, path)
        if value != right:
            raise Wrong(f"{path} is {json.dumps(value)}, and {json.dumps(right)} is right")
    for path, right in check.get("near", {}).items():
        value = at(document, path)
        if not near(value, right):
            raise Wrong(f"{path} is {json.dumps(value)}, and {json.dumps(right)} is right")


def near(value, right):
    if isinstance(right, list):
        return isinstance(value, list) and len(value) == len(right) and all(map(near, value, right))
    if isinstance(right, (int, float)) and isinstance(value, (int, float)):
        return abs(value - right) <= 1e-4 * max(1.0, abs(right))
    return value == right


def at(document, path):
    """The value at a path such as outputs[0].shape; None where there is none."""
    for part in re.findall(r"[^.\[\]]+|\[[0-9]+\]", path):
        if part.startswith("["):
            index = int(part[1:-1])
            document = document[index] if isinstance(document, list) and index < len(document) else None
        else:
            document = document.get(part) if isinstance(document, dict) else None
    return document


def main(task, result):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=False)
    if subprocess.run(["sh", "-c", "command -v ip"], capture_output=True, check=False).returncode != 0:
        raise SystemExit("the command `ip` (package iproute2) is needed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
    try:
        problems = Runner(json.loads(Path(task).read_text())).run()
    except Wrong as problem:
        problems = [str(problem)]
    Path(result).write_text(json.dumps(problems))


if __name__ == "__main__":
    main(*sys.argv[1:])
