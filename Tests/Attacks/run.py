#!/usr/bin/env python3
"""What attackers try, beside innocent clients: python3 run.py HALCYON [--short] [NAME ...]

NAME is a part of a test's name. The short form leaves out what takes long and measures once. All load is bounded, and goes to
servers that this starts itself, on this machine.
"""

import importlib
import sys
import unittest
from pathlib import Path

MODULES = ["bodies", "streams", "models", "processes", "held"]


def main(program, names, is_short):
    here = Path(__file__).resolve().parent
    sys.path[:0] = [str(here), str(here.parent / "Conformance")]
    loader = unittest.TestLoader()
    if names:
        loader.testNamePatterns = [f"*{name}*" for name in names]
    suite = unittest.TestSuite()
    for name in MODULES:
        for test_class in vars(importlib.import_module(name)).values():
            if isinstance(test_class, type) and issubclass(test_class, unittest.TestCase):
                test_class.program = program
                test_class.is_short = is_short
                suite.addTest(loader.loadTestsFromTestCase(test_class))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    arguments = [each for each in sys.argv[1:] if each != "--short"]
    if not arguments:
        sys.exit(__doc__)
    sys.exit(main(str(Path(arguments[0]).resolve()), arguments[1:], "--short" in sys.argv))
