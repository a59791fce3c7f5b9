#!/usr/bin/env python3
"""Models from stores on the network, with the real server: python3 run.py PATH_TO_HALCYON [NAME ...]

NAME is a part of a test's name; without one all run. The store for Amazon S3 is moto's, in the Python environment that
`Scripts/deps --storage` makes; without it those tests are skipped. Between server and store stands a proxy that cuts
connections, answers 503 and sends slowly. The other stores are small servers of this folder. Nothing leaves the machine.
"""

import importlib
import sys
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
MODULES = ["serving", "troubles", "refusals", "others"]


def main(program, names):
    sys.path[:0] = [str(HERE), str(HERE.parent / "Conformance")]
    try:
        importlib.import_module("moto.server")
    except ImportError:
        print("notice: no moto in this Python: what needs a store for Amazon S3 is skipped (Scripts/deps --storage)")
    from suites import run, suite, test_cases

    return run(suite(test_cases(MODULES, own=True), names, program=program), verbosity=2 if names else 1)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(str(Path(sys.argv[1]).resolve()), sys.argv[2:]))
