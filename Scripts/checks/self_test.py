"""The checks, checked: what they must see in Swift text and what they must overlook."""

import unittest

from . import documentation, imports, source_rules, unused_code
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

    def test_arrows_point_down_the_manifest(self):
        order = ["Top", "Middle", "Base"]
        self.assertEqual(imports.upward({"Top": {"Base", "Outside"}, "Middle": {"Base"}, "Base": set()}, order), [])
        self.assertEqual(len(imports.upward({"Top": set(), "Middle": {"Top"}, "Base": set()}, order)), 1)
        self.assertEqual(len(imports.upward({"Middle": {"Middle"}}, order)), 1)
        self.assertEqual(len(imports.upward({"Middle": set(), "Top": set()}, order)), 1)
        self.assertEqual(len(imports.upward({"Gone": set()}, order)), 1)


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


class Documentation(unittest.TestCase):
    def missing(self, text):
        return len(documentation.undocumented(text, code_only(text)))

    def test_public_declarations(self):
        self.assertEqual(self.missing("/// A.\npublic struct A {\n    public var b = 1\n    var c = 2\n}\n"), 1)
        self.assertEqual(self.missing("/// A.\n@frozen\npublic struct A {}\n// B.\npublic enum B {}\n"), 1)
        self.assertEqual(self.missing("public import A\npublic extension A {\n    func b() { let c = 1 }\n}\n"), 0)

    def test_members_that_are_public_unsaid(self):
        self.assertEqual(self.missing("/// A.\npublic enum A {\n    case b\n    /// C.\n    case c\n}\n"), 1)
        self.assertEqual(self.missing("/// A.\npublic protocol A {\n    var b: Int { get }\n    static func c()\n}\n"), 2)
        self.assertEqual(self.missing("/// A.\npublic enum A {\n    func f() {\n        switch a {\n        case b: 1\n}}}"), 0)


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
