"""Rules about single files: length, number of parameters, what may not be written where."""

import re

from .swift_text import ROOT, swift_files

# TritonServer stands for the executable, where that is a C program that knows nothing of it.
EXECUTABLES = {"people_detection", "halcyon", "halcyon-convert", "TritonServer"}
LONGEST = {"Tests": 1500}
LONGEST_SOURCE = 700
MOST_PARAMETERS = 6
MOST_COLUMNS = 120
# What a protocol of another package, or the C interface, asks for.
SET_BY_OTHERS = re.compile(r"func\s+(?:startSpan\b|TRITON[A-Z]+_)")

CRASHES = re.compile(r"\b(fatalError|preconditionFailure)\s*\(|\btry!|\bas!")
SLEEPS = re.compile(r"\bTask\s*\.\s*sleep\b|\b(?:u|nano)?sleep\s*\(|\bThread\s*\.\s*sleep\b")
ENVIRONMENT = re.compile(r"\b(?:secure_)?getenv\s*\(|\bProcessInfo\b|\benviron\b")
CONDITION = re.compile(r"^[ \t]*#(?:if|elseif)[ \t]+(.*)$", re.MULTILINE)
PLATFORM = re.compile(r"(?:[!&|() \t]|\b(?:os|arch|canImport|targetEnvironment|compiler|swift)\([^)]*\))*\Z")
LATER = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b")
SCRIPT_SUFFIXES = {"", ".sh", ".py"}
COSTLY_FLAGS = re.compile(
    r"""\bswift["', ]+(?:build|run)\b[^\n]*?(--static-swift-stdlib|--sanitize|-X(?:swiftc|cc|linker))[^\n]*"""
)
FUNCTION = re.compile(r"\bfunc\s+[^\s(<]+\s*(?:<[^(]*>)?\s*\(")


def crashes():
    return [
        file.at(found.start(), f"`{found.group().strip()}` can end the process on bad input: throw instead")
        for file in swift_files("Sources")
        for found in CRASHES.finditer(file.code)
    ]


def sleeping_tests():
    return [
        file.at(found.start(), "a test sleeps: move a clock by hand or wait for the event itself")
        for file in swift_files("Tests")
        for found in SLEEPS.finditer(file.code)
    ]


def environment():
    return [
        file.at(found.start(), "only an executable reads the environment")
        for file in swift_files("Sources")
        if file.target not in EXECUTABLES
        for found in ENVIRONMENT.finditer(file.code)
    ]


def feature_flags():
    return [
        file.at(found.start(), f"`#if {found.group(1).strip()}` is not a question about the platform")
        for file in swift_files("Sources")
        for found in CONDITION.finditer(file.code)
        if not PLATFORM.match(found.group(1).strip())
    ]


def later():
    pages = [path for path in ROOT.glob("*.md") if path.is_file()]
    complaints = [
        f"{page.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}: `{found.group()}`"
        for page in pages
        for text in [page.read_text()]
        for found in LATER.finditer(text)
    ]
    for file in swift_files():
        complaints += [file.at(found.start(), f"`{found.group()}`") for found in LATER.finditer(file.text)]
    return complaints


def columns():
    return [
        f"{file.relative}:{number}: {len(line)} columns"
        for file in swift_files()
        if file.target != "KServeMessages"
        for number, line in enumerate(file.text.splitlines(), 1)
        if len(line) > MOST_COLUMNS
    ]


def build_flags():
    """All programs are built with the same flags into .build, as other flags have everything compiled anew."""
    scripts = [ROOT / "Makefile"]
    for room in ("Scripts", "Benchmarks", "Examples", "Fuzzing"):
        scripts += [path for path in (ROOT / room).rglob("*") if path.is_file() and path.suffix in SCRIPT_SUFFIXES]
    complaints = []
    for path in scripts:
        text = path.read_text(errors="replace").replace("\\\n", "  ")
        complaints += [
            f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}: `{found.group(1)}` has its build folder "
            "compiled anew: leave it out, or build into a folder of its own by --scratch-path"
            for found in COSTLY_FLAGS.finditer(text)
            if "scratch-path" not in found.group()
        ]
    return complaints


def length():
    complaints = []
    for file in swift_files():
        lines = file.text.count("\n")
        longest = LONGEST.get(file.room, LONGEST_SOURCE)
        if lines > longest:
            complaints.append(f"{file.relative}:{longest + 1}: {lines} lines, and {longest} is the most")
    return complaints


def parameter_count(code, opening):
    """The number of parameters in the list whose parenthesis opens before `opening`."""
    depth = 1
    commas = 0
    empty = True
    position = opening
    while position < len(code) and depth:
        character = code[position]
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == "<" and not code[position - 1].isspace():
            depth += 1
        elif character == ">" and code[position - 1] != "-" and depth > 1:
            depth -= 1
        elif character == "," and depth == 1:
            commas += 1
        if depth and not character.isspace():
            empty = False
        position += 1
    return 0 if empty else commas + 1


def parameters():
    return [
        file.at(found.start(), f"{count} parameters, and {MOST_PARAMETERS} is the most: use a structure of options")
        for file in swift_files("Sources")
        for found in FUNCTION.finditer(file.code)
        for count in [parameter_count(file.code, found.end())]
        if count > MOST_PARAMETERS and not SET_BY_OTHERS.match(found.group())
    ]
