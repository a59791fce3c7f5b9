#!/usr/bin/env python3
"""The page in a real browser, against the real server: python3 run.py PATH_TO_HALCYON [--screenshots FOLDER] [NAME ...]

NAME is a part of a test's name; without one all run. It needs Debian's chromium and chromium-driver, and the Python
environment of `Scripts/deps --browser`; where one of them is not there it says so and ends well.
"""

import argparse
import importlib.util
import shutil
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("--screenshots", type=Path, help="a folder for pictures of the page")
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    missing = [program for program in ("chromium", "chromedriver") if shutil.which(program) is None]
    if importlib.util.find_spec("selenium") is None:
        missing.append("selenium")
    if missing:
        print(f"skipped: {', '.join(missing)} not found; Scripts/deps --browser installs what this needs")
        return 0
    here = Path(__file__).resolve().parent
    sys.path[:0] = [str(here), str(here.parent / "Conformance")]
    import page

    page.PROGRAM = str(given.program.resolve())
    page.SCREENSHOTS = given.screenshots
    if given.screenshots:
        given.screenshots.mkdir(parents=True, exist_ok=True)
    loader = unittest.TestLoader()
    if given.names:
        loader.testNamePatterns = [f"*{name}*" for name in given.names]
    suite = loader.loadTestsFromModule(page)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2 if given.names else 1).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
