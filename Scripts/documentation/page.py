"""Runs the blocks of one page, in a network of its own: python3 page.py TASK RESULT

The page's folder looks like the repository's root: links to what is there, so that what blocks write stays out of it.
"""

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from documentation.blocks import RUN, Block  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
CLIENTS = ROOT / ".deps" / "clients" / "bin"
SECONDS = 60
DEMO = ["Examples/people_detection/model_repository_3", "Examples/people_detection/ensemble"]
# What is needed beside the machine's own programs, by language.
PROGRAMS = {"go": "go", "java": "java", "javascript": "node"}


class Page:
    def __init__(self, task):
        self.folder = Path(task["folder"])
        self.programs = Path(task["programs"])
        self.state = self.folder.parent / "state"
        self.state.mkdir()
        self.server = None
        self.served = None
        self.printed = ""
        self.python = ""
        path = os.pathsep.join(map(str, [HERE / "stand_ins", CLIENTS, self.programs, os.environ["PATH"]]))
        self.environment = {
            **os.environ, "PATH": path, "HALCYON_BACKENDS": str(ROOT / ".deps" / "backends"), "PYTHONDONTWRITEBYTECODE": "1",
            "HALCYON_PROGRAMS": str(self.programs), "SWIFT_BACKTRACE": "enable=no", "HALCYON_ROOT": str(ROOT),
        }  # fmt: skip

    def prepare(self):
        self.folder.mkdir(exist_ok=True)
        for entry in ROOT.iterdir():
            if entry.name not in (".git", ".build", "out") and not entry.name.startswith(".build-"):
                (self.folder / entry.name).symlink_to(entry)

    def run(self, block):
        """("passed" | "FAILED" | "skipped" | "shown", words)"""
        marks = block.marks
        if "file" in marks:
            place = self.folder / marks["file"]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(block.text)
        if "output" in marks:
            return self.compare(block.text)
        if "skip" in marks:
            return "skipped", marks["skip"]
        if block.language not in RUN:
            return "shown", ""
        if (program := PROGRAMS.get(block.language)) and shutil.which(program) is None:
            return "skipped", f"there is no {program} here"
        if "server" in marks:
            self.serve(marks["server"])
        if "serves" in marks:
            return self.run_server(block)
        seconds = int(marks.get("seconds", SECONDS))
        status, self.printed = self.execute(self.command(block), seconds)
        if status is None:
            return "FAILED", f"not done after {seconds} s: {self.printed[-1500:]}"
        if "either" not in marks and (status != 0) != ("fails" in marks):
            return "FAILED", f"it ended with {status}:\n{self.printed[-2500:]}"
        return "passed", ""

    def command(self, block):
        """The command of a block, whose text is in a file by then."""
        if block.language in ("sh", "bash", "console"):
            text = block.text
            if block.language == "console":
                lines = [line[2:] for line in block.text.splitlines() if line.startswith("$ ")]
                text = "\n".join(lines)
            return self.shell(text)
        name = f"block{block.line}.{RUN[block.language]}"
        text = block.text
        if block.language == "python":
            if "continues" in block.marks:
                text = self.python + "\n" + text
            self.python = text
        if block.language == "java":
            found = re.search(r"\bclass\s+(\w+)", text)
            name = f"{found[1] if found else 'Block'}.java"
        place = self.folder / name
        place.write_text(text)
        if block.language == "swift":
            modules = self.programs / "Modules"
            maps = [f"-Xcc -fmodule-map-file={each}" for each in sorted(self.programs.glob("*.build/module.modulemap"))]
            own = sorted(ROOT.glob("Sources/*/include/module.modulemap"))
            maps += [f"-Xcc -fmodule-map-file={each} -Xcc -I{each.parent}" for each in own]
            # Those of the system's libraries, and of packages that bring their own.
            for places in ("Sources/*/module.modulemap", ".build/checkouts/*/Sources/*/include/module.modulemap"):
                maps += [f"-Xcc -fmodule-map-file={each}" for each in sorted(ROOT.glob(places))]
            return f"swiftc -swift-version 6 -typecheck -I {modules} {' '.join(maps)} {name}"
        return {"python": f"python3 {name}", "go": f"go run {name}", "java": f"java {name}", "javascript": f"node {name}"}[
            block.language
        ]

    def shell(self, text):
        """Folder and exported variables go from one block of a page to the next."""
        state = self.state
        return (
            f"[ -f {state}/variables ] && . {state}/variables; [ -f {state}/folder ] && cd \"$(cat {state}/folder)\"\n"
            f"trap 'export -p > {state}/variables; pwd > {state}/folder' EXIT\nset -e -o pipefail\n{text}"
        )

    def execute(self, command, seconds):
        """(exit status or None, what it printed); what it left running goes on."""
        output = self.state / "output"
        with output.open("wb") as out:
            process = subprocess.Popen(
                ["bash", "-c", command], cwd=self.folder, env=self.environment, stdout=out, stderr=out,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
            try:
                status = process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                status = None
        return status, output.read_text(errors="replace")

    def serve(self, words):
        """The demo's server, or one of another repository, unless it runs already."""
        if self.served == words and self.server.poll() is None:
            return
        repository, *flags = words.split() or [None]
        repositories = [repository] if repository else DEMO
        # PeopleNet lies in the demo's repository only where somebody has put it there.
        flags = flags or ["--exit-on-error=false", "--strict-readiness=false"]
        backends = f"--backend-directory={self.environment['HALCYON_BACKENDS']}"
        command = ["halcyon", "serve", *(f"--model-repository={each}" for each in repositories), backends, *flags]
        self.start(command)
        self.served = words

    def start(self, command):
        self.stop()
        log = (self.folder.parent / "server.log").open("wb")
        program = shutil.which(command[0], path=self.environment["PATH"])
        self.server = subprocess.Popen(
            [program, *command[1:]], cwd=self.folder, env=self.environment, stdout=log, stderr=log
        )
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and self.server.poll() is None:
            connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=SECONDS)
            try:
                connection.request("GET", "/v2/health/ready")
                if connection.getresponse().status == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            time.sleep(0.05)
        log.close()
        words = (self.folder.parent / "server.log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"the server is not ready, exit status {self.server.poll()}:\n{words}")

    def run_server(self, block):
        self.start(["bash", "-c", self.shell(block.text)])
        self.served = None
        return "passed", "serves"

    def stop(self):
        if self.server is not None and self.server.poll() is None:
            children = subprocess.run(
                ["pgrep", "-P", str(self.server.pid)], capture_output=True, text=True, check=False
            ).stdout.split()
            for pid in [*children, str(self.server.pid)]:
                subprocess.run(["kill", pid], capture_output=True, check=False)
            try:
                self.server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()
            time.sleep(0.3)
        self.server, self.served = None, None

    def compare(self, text):
        """What the block before printed, line by line; `...` in a line stands for anything, a line of it for any lines."""
        pattern = ""
        for line in text.rstrip().splitlines():
            if line.strip() in ("...", "…"):
                pattern += r"(?:.*\n)*?"
            else:
                parts = re.split(r"\.\.\.|…", line.strip())
                pattern += r"\s*" + r".*".join(r"\s+".join(map(re.escape, part.split(" "))) for part in parts) + r"\s*\n"
        if re.fullmatch(pattern, self.printed.rstrip() + "\n"):
            return "passed", ""
        return "FAILED", f"the block before printed:\n{self.printed[-2500:]}"


def main(task, result):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=False)
    task = json.loads(Path(task).read_text())
    page = Page(task)
    page.prepare()
    outcomes = []
    for each in task["blocks"]:
        block = Block(**each)
        try:
            outcomes.append((block.place, block.language, *page.run(block)))
        except (OSError, RuntimeError, subprocess.SubprocessError) as problem:
            outcomes.append((block.place, block.language, "FAILED", str(problem)))
        Path(result).write_text(json.dumps(outcomes))
    page.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
