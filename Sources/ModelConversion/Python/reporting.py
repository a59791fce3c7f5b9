"""What the worker says: one JSON object a line on the standard output it was started with, and nothing else there."""

import json
import os
import sys
import threading
import time

_line_lock = threading.Lock()
_out = None


class ConversionError(Exception):
    """A sentence for the user that names the thing, what was expected and what came, under one of the codes."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message):
    return ConversionError("invalid_argument", message)


def unsupported(message):
    return ConversionError("unsupported", message)


def unavailable(message):
    return ConversionError("unavailable", message)


def claim_standard_output():
    """Keeps the standard output for the lines of this file: whatever a library prints goes to the standard error."""
    global _out
    _out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr


def end_with_parent():
    """Ends the process when the standard input reaches its end, which is when the process that started it is gone."""

    def wait():
        while os.read(0, 4096):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def write(line):
    """One line at once. Where nobody listens any more there is nothing left to do."""
    text = json.dumps(line, allow_nan=False)
    with _line_lock:
        if _out is None:
            return
        try:
            _out.write(text + "\n")
            _out.flush()
        except BrokenPipeError:
            os._exit(1)


class Reporter:
    """Steps, progress and notices of one conversion. Notices are also kept, for the result."""

    def __init__(self, write=write):
        self._write = write
        self._start = time.monotonic()
        self.notices = []

    @classmethod
    def silent(cls):
        """One that nobody hears, for what is done a second time."""
        return cls(write=lambda line: None)

    def step(self, what):
        self._write({"step": what, "seconds": round(time.monotonic() - self._start, 2)})

    def progress(self, done, total):
        self._write({"progress": {"done": int(done), "total": int(total)}})

    def notice(self, what):
        if what not in self.notices:
            self.notices.append(what)
            self._write({"notice": what})


# What engines put around the line that tells something.
_FRAMES = (
    "Exception from ",
    "Check '",
    "Traceback",
    "File ",
    "While validating",
    "FrontEnd API failed",
    "Model wasn't fully converted",
    "Summary:",
)


def one_sentence(error):
    """A library's message as the end of a sentence of ours: the line that says something, without source places."""
    text = str(error).strip() or type(error).__name__
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(_FRAMES)]
    line = (telling or lines)[0]
    return line if len(line) <= 300 else line[:300] + "…"
