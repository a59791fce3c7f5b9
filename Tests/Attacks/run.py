#!/usr/bin/env python3
"""What attackers try, beside innocent clients: python3 run.py HALCYON [--short] [NAME ...]

NAME is a part of a test's name. The short form leaves out what takes long and measures once. All load is bounded, and goes to
servers that this starts itself, on this machine.
"""

import sys
from pathlib import Path

MODULES = ["bodies", "streams", "models", "processes", "held"]


def main(program, names, is_short):
    here = Path(__file__).resolve().parent
    sys.path[:0] = [str(here), str(here.parent / "Conformance")]
    from suites import run, suite, test_cases

    return run(suite(test_cases(MODULES), names, program=program, is_short=is_short), verbosity=2)


if __name__ == "__main__":
    arguments = [each for each in sys.argv[1:] if each != "--short"]
    if not arguments:
        sys.exit(__doc__)
    sys.exit(main(str(Path(arguments[0]).resolve()), arguments[1:], "--short" in sys.argv))
