#!/usr/bin/env python3
"""What is deployed, tried out: python3 run.py PATH_TO_HALCYON [--all] [NAME ...]

NAME is a part of a test's name; without one those run that take seconds, and with --all also those that take minutes. The
Python environments are those of `Scripts/deps --clients --deployment`. A test whose program is missing (Debian's prometheus, haproxy,
mmdebstrap or buildah: `Scripts/deps --deployment-tools` installs them) says so and is skipped.
"""

import argparse
import importlib
import subprocess
import sys
import unittest
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
    loader = unittest.TestLoader()
    if options.names:
        loader.testNamePatterns = [f"*{name}*" for name in options.names]
    suite = unittest.TestSuite()
    for name in MODULES[options.environment]:
        if not (HERE / f"{name}.py").is_file():
            continue
        module = importlib.import_module(name)
        for test_class in vars(module).values():
            if not (isinstance(test_class, type) and issubclass(test_class, unittest.TestCase)):
                continue
            if getattr(test_class, "takes_minutes", False) and not options.all and not options.names:
                continue
            test_class.program = str(Path(options.program).resolve())
            test_class.executables = options.executables
            test_class.is_long = options.all
            suite.addTest(loader.loadTestsFromTestCase(test_class))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
