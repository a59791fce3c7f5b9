#!/usr/bin/env python3
"""The server against what the protocol and its clients expect: python3 run.py [--without MODULE] PATH_TO_HALCYON [NAME ...]

NAME is a part of a test's name; without one all run, but for those of MODULE. The real process is started for each class of tests. The clients
are those of the Python package tritonclient, which must be there (`Scripts/deps --clients`). HALCYON_SERVE_FLAGS are more
flags of every server, --isolation=process for instance.
"""

import sys
from pathlib import Path

MODULES = ["recorded", "shared_cases", "metrics", "raw_sockets", "clients", "shared_memory", "gpu", "transports", "connections", "tracing", "streams", "commands", "bench", "tune", "errors", "scheduling", "explain", "load", "lifecycle", "limits", "isolation", "python_models"]


def main(program, names, without):
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from suites import run, suite, test_cases

    if without not in (None, *MODULES):
        sys.exit(f"error: there is no module {without}: {', '.join(MODULES)}")
    cases = test_cases(name for name in MODULES if name != without)
    return run(suite(cases, names, program=program), verbosity=2 if names else 1)


if __name__ == "__main__":
    words = sys.argv[1:]
    without = words[1] if words[:1] == ["--without"] and len(words) > 1 else None
    words = words[2:] if without else words
    if not words or words[0].startswith("-"):
        sys.exit(__doc__)
    sys.exit(main(str(Path(words[0]).resolve()), words[1:], without))
