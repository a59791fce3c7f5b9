"""Puts the tests of some modules together and runs them, for the programs that run tests against a real server."""

import importlib
import sys
import unittest


def test_cases(modules, own=False):
    """The modules' classes of tests, also those that a module has from one that is not below it unless `own` is set."""
    for name in modules:
        for case in vars(importlib.import_module(name)).values():
            is_own = isinstance(case, type) and f"{case.__module__}.".startswith(f"{name}.")
            if isinstance(case, type) and issubclass(case, unittest.TestCase) and (is_own or not own):
                yield case


def suite(cases, names=(), **attributes):
    """The tests of those classes, or those whose name has one of `names` in it; each class gets the attributes."""
    loader = unittest.TestLoader()
    if names:
        loader.testNamePatterns = [f"*{name}*" for name in names]
    tests = unittest.TestSuite()
    for case in cases:
        for attribute, value in attributes.items():
            setattr(case, attribute, value)
        tests.addTest(loader.loadTestsFromTestCase(case))
    return tests


def run(tests, verbosity):
    """Runs them; returns the exit status."""
    return 0 if unittest.TextTestRunner(stream=sys.stdout, verbosity=verbosity).run(tests).wasSuccessful() else 1
