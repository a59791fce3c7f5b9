"""One line a step: while a step runs, a terminal shows a bar that is drawn over; when it has ended, there is a line, on
a terminal and elsewhere. What the programs of a step say goes into a log file, of which the last lines are shown when
the step fails."""

import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 24
LAST_LINES = 25


class StepFailed(Exception):
    """A program of a step failed; the message says which and shows its last words."""


def bar(part):
    filled = round(min(max(part, 0), 1) * WIDTH)
    return "█" * filled + "░" * (WIDTH - filled)


def duration(seconds):
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


class Step:
    """`with Step("Fetching this") as step:`; `step.progress(done, total)` and `step.note(text)` while it runs."""

    def __init__(self, title, stream=None):
        self.title = title
        self.stream = stream or sys.stdout
        self.is_terminal = self.stream.isatty()
        self.part = None
        self.text = ""
        self.lock = threading.Lock()
        self.ended = threading.Event()

    def __enter__(self):
        self.start = time.monotonic()
        if self.is_terminal:
            self.painter = threading.Thread(target=self.paint, daemon=True)
            self.painter.start()
        return self

    def paint(self):
        while True:
            self.draw()
            if self.ended.wait(0.2):
                return

    def draw(self):
        with self.lock:
            shown = f"{bar(self.part)} {self.part * 100:3.0f} %" if self.part is not None else ""
            parts = [self.title, shown, self.text, duration(time.monotonic() - self.start)]
        columns = shutil.get_terminal_size().columns
        line = "  ".join(part for part in parts if part)[: max(1, columns - 1)]
        self.stream.write(f"\r{line}\033[K")
        self.stream.flush()

    def progress(self, done, total):
        if total > 0:
            with self.lock:
                self.part = min(max(done / total, 0), 1)

    def note(self, text):
        with self.lock:
            self.text = text

    def __exit__(self, kind, error, trace):
        seconds = time.monotonic() - self.start
        if self.is_terminal:
            self.ended.set()
            self.painter.join()
            self.stream.write("\r\033[K")
        ending = {None: "done in", KeyboardInterrupt: "interrupted after"}.get(kind, "failed after")
        self.stream.write(f"{self.title}: {ending} {duration(seconds)}\n")
        self.stream.flush()
        return False


def run(command, log, line=lambda text: None, **options):
    """Runs a program to its end, with its output in a file of its own, and calls `line` with each line of it.

    Raises StepFailed, with the file's name and its last lines, where the status is not 0.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", buffering=1, errors="replace") as file:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
            errors="replace", **options,
        )  # fmt: skip
        try:
            for text in process.stdout:
                file.write(text)
                line(text.rstrip("\n"))
            status = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        finally:
            process.stdout.close()
    if status != 0:
        last = "\n".join(f"  {text}" for text in log.read_text(errors="replace").splitlines()[-LAST_LINES:])
        try:
            name = log.relative_to(ROOT)
        except ValueError:
            name = log
        raise StepFailed(f"{Path(command[0]).name} ended with status {status}. All it said is in {name}; the end:\n{last}")
