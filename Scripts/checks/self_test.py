"""The checks, checked: what they must see in Swift text and what they must overlook."""

import unittest

from . import imports, source_rules, unused_code
from .swift_text import code_only


class CodeOnly(unittest.TestCase):
    def test_comments_and_strings_are_blanked_and_interpolations_stay(self):
        text = 'let a = "x // \\(used(b("in \\(deep) out"))) y" // gone\n/* gone /* gone */ gone */ let c = 1\n'
        code = code_only(text)
        self.assertEqual(len(code), len(text))
        self.assertEqual(code.split(), ["let", "a", "=", "used(b(", "deep", "))", "let", "c", "=", "1"])

    def test_raw_and_multiline_strings(self):
        code = code_only('f(#"a \\(no) \\#(yes) "b"#)\ng("""\n "quoted" \\(inside)\n """)\nh("\\\\")')
        self.assertEqual(code.split(), ["f(", "yes", ")", "g(", "inside", ")", "h(", ")"])


class Imports(unittest.TestCase):
    def test_access_levels_and_attributes(self):
        text = "import A\n@testable private import B\npublic import struct C.D\n@_exported public import E\n"
        found = [match.group(2, 3) for match in imports.IMPORT.finditer(text)]
        self.assertEqual([module for _, module in found], ["A", "B", "C", "E"])
        self.assertEqual([bool(access) for access, _ in found], [False, True, True, True])

    def test_no_target_may_import_one_that_may_import_it(self):
        for target, allowed in imports.ARROWS.items():
            for below in allowed & imports.ARROWS.keys():
                self.assertNotIn(target, imports.ARROWS[below], f"{target} and {below} import each other")


class EnumerationCases(unittest.TestCase):
    def names(self, line):
        ends = [found.end() for found in unused_code.CASE.finditer(line)]
        return [name for end in ends for name, _ in unused_code.names_of_case(line, end)]

    def test_declarations(self):
        self.assertEqual(self.names("case one, two(x: Int, y: [Int: A]), `default`"), ["one", "two", "default"])
        self.assertEqual(self.names('indirect case three(A) = "x"'), ["three"])

    def test_patterns_of_a_switch_declare_nothing(self):
        for pattern in ("case .one: f()", "case let .two(x):", "case one, two: f()", "case A.one: f()", "case is A:"):
            self.assertEqual(self.names(pattern), [], pattern)


class Rules(unittest.TestCase):
    def test_parameters_are_counted_outside_of_types(self):
        text = "func f<T: A<B, C>>(a: T, b: (Int, Int) -> Void, c: [A: B], d: D<Int, Int> = [:]) {}"
        found = source_rules.FUNCTION.search(text)
        self.assertEqual(source_rules.parameter_count(text, found.end()), 4)
        self.assertEqual(source_rules.parameter_count("func f() {}", len("func f(")), 0)

    def test_conditions_about_the_platform(self):
        for condition in ("os(Linux)", "canImport(Glibc) && !arch(arm64)", "compiler(>=6.2)"):
            self.assertTrue(source_rules.PLATFORM.match(condition), condition)
        for condition in ("DEBUG", "os(Linux) || FEATURE"):
            self.assertFalse(source_rules.PLATFORM.match(condition), condition)

    def test_what_crashes_and_what_sleeps(self):
        for text in ("try! f()", "a as! B", 'fatalError("")'):
            self.assertTrue(source_rules.CRASHES.search(text), text)
        for text in ("try Task.sleep(for: x)", "usleep(5)", "sleep (1)"):
            self.assertTrue(source_rules.SLEEPS.search(text), text)
        self.assertFalse(source_rules.SLEEPS.search("asleep(1)"))


def check():
    suite = unittest.defaultTestLoader.loadTestsFromModule(__import__(__name__, fromlist=["check"]))
    result = unittest.TestResult()
    suite.run(result)
    return [text for _, report in result.failures + result.errors for text in report.splitlines()]
