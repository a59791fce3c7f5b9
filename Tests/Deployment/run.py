#!/usr/bin/env python3
"""What is deployed, tried out: python3 run.py PATH_TO_HALCYON [--all] [NAME ...]

NAME is a part of a test's name; without one those run that take seconds, and with --all also those that take minutes. The
Python environments are those of `Scripts/deps --clients --deployment`. A test whose program is missing (Debian's prometheus, haproxy,
mmdebstrap or buildah: `Scripts/deps --deployment-tools` installs them) says so and is skipped.
"""

import argparse
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
# By the Python environment that they run in, which is `.deps/NAME`.
MODULES = {"deployment": ["manifests", "autoscaling"], "clients": ["monitoring", "package", "booted", "rolling", "overload", "image"]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--executables", help="a folder with halcyon and people_detection that are packaged as they are")
    parser.add_argument("--environment", choices=MODULES, help="only what runs in this Python environment, in this process")
    options = parser.parse_intermixed_args()
    if options.environment is None:
        status = 0
        for name, modules in MODULES.items():
            python = HERE.parent.parent / ".deps" / name / "bin" / "python"
            if not python.exists():
                print(f"skipped: {', '.join(modules)}: {python} is missing, which Scripts/deps --{name} makes")
                continue
            status = max(status, subprocess.run([python, *sys.argv, "--environment", name], check=False).returncode)
        return status
    sys.path[:0] = [str(HERE), str(HERE.parent / "Conformance"), str(HERE.parent.parent / "Scripts")]
    from suites import run, suite, test_cases

    cases = test_cases(name for name in MODULES[options.environment] if (HERE / f"{name}.py").is_file())
    if not options.all and not options.names:
        cases = (case for case in cases if not getattr(case, "takes_minutes", False))
    tests = suite(
        cases, options.names, program=str(Path(options.program).resolve()), executables=options.executables,
        is_long=options.all,
    )  # fmt: skip
    return run(tests, verbosity=2)


if __name__ == "__main__":
    sys.exit(main())
