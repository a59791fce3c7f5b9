#!/usr/bin/env python3
"""The server against what the protocol and its clients expect: python3 run.py [--without MODULE] PATH_TO_HALCYON [NAME ...]

NAME is a part of a test's name; without one all run, but for those of MODULE. The real process is started for each class of tests. The clients
are those of the Python package tritonclient, which must be there (`Scripts/deps --clients`). HALCYON_SERVE_FLAGS are more
flags of every server, --isolation=process for instance.
"""

import importlib
import sys
import unittest
from pathlib import Path

MODULES = ["recorded", "shared_cases", "metrics", "raw_sockets", "clients", "shared_memory", "gpu", "transports", "connections", "tracing", "streams", "commands", "bench", "tune", "errors", "scheduling", "explain", "load", "lifecycle", "limits", "isolation", "python_models"]


def main(program, names, without):
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    loader = unittest.TestLoader()
    if names:
        loader.testNamePatterns = [f"*{name}*" for name in names]
    suite = unittest.TestSuite()
    if without not in (None, *MODULES):
        sys.exit(f"error: there is no module {without}: {', '.join(MODULES)}")
    for name in MODULES:
        if name == without:
            continue
        module = importlib.import_module(name)
        for test_class in vars(module).values():
            if isinstance(test_class, type) and issubclass(test_class, unittest.TestCase):
                test_class.program = program
                suite.addTest(loader.loadTestsFromTestCase(test_class))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1 if not names else 2).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    words = sys.argv[1:]
    without = words[1] if words[:1] == ["--without"] and len(words) > 1 else None
    words = words[2:] if without else words
    if not words or words[0].startswith("-"):
        sys.exit(__doc__)
    sys.exit(main(str(Path(words[0]).resolve()), words[1:], without))
