"""What the scripts show while they work: one line a step."""

import io
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "Scripts"))

from steps import Step, StepFailed, bar, run  # noqa: E402


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Steps(unittest.TestCase):
    def test_a_step_has_one_line_where_lines_stay(self):
        out = io.StringIO()
        with Step("Fetching", out) as step:
            step.progress(1, 2)
            step.note("half of it")
        self.assertRegex(out.getvalue(), r"\AFetching: done in \d+\.\d s\n\Z")

    def test_a_terminal_shows_a_bar_that_the_last_line_replaces(self):
        out = Terminal()
        with Step("Fetching", out) as step:
            step.progress(1, 2)
            step.note("half of it")
            step.draw()
        self.assertIn(bar(0.5) + "  50 %", out.getvalue())
        self.assertIn("half of it", out.getvalue())
        self.assertRegex(out.getvalue(), r"\r\033\[KFetching: done in \d+\.\d s\n\Z")
        self.assertEqual(out.getvalue().count("\n"), 1)

    def test_a_step_that_fails_says_so(self):
        out = io.StringIO()
        with self.assertRaises(ValueError), Step("Fetching", out):
            raise ValueError
        self.assertIn("Fetching: failed after", out.getvalue())

    def test_what_a_program_says_is_in_a_file_and_its_end_in_the_error(self):
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "logs" / "program.log"
            lines = []
            program = "print('begins'); print('ends badly'); raise SystemExit(3)"
            with self.assertRaises(StepFailed) as failure:
                run([sys.executable, "-c", program], log, lines.append)
            self.assertEqual(lines, ["begins", "ends badly"])
            self.assertEqual(log.read_text(), "begins\nends badly\n")
        for part in ("status 3", str(log), "  ends badly"):
            self.assertIn(part, str(failure.exception))

    def test_a_program_that_ends_well(self):
        with tempfile.TemporaryDirectory() as folder:
            run([sys.executable, "-c", "print('fine')"], Path(folder) / "log")


if __name__ == "__main__":
    unittest.main()
