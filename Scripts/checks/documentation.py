"""Every public declaration says in a comment what it is: what users of the library read has no gaps."""

import re

from .swift_text import swift_files

DECLARATION = re.compile(
    r"^[ \t]*(?:@\w+(?:\([^)\n]*\))?[ \t]+)*public[ \t]+(?!import\b|extension\b)[^\n]*?"
    r"\b(?:struct|class|enum|protocol|actor|typealias|func|init|subscript|var|let|associatedtype)\b",
    re.MULTILINE,
)
# Whose members are public without saying so.
SCOPE = re.compile(r"^[ \t]*public[ \t]+(?:indirect[ \t]+)?(enum|protocol)\b[^{\n]*\{", re.MULTILINE)
MEMBERS = {
    "enum": re.compile(r"^[ \t]*(?:indirect[ \t]+)?case\b", re.MULTILINE),
    "protocol": re.compile(
        r"^[ \t]*(?:@\w+[ \t]+)*(?:static[ \t]+|mutating[ \t]+)*(?:var|func|init|subscript|associatedtype)\b", re.MULTILINE
    ),
}


def body(code, start):
    """The end of what is in the braces whose first stands before `start`, and the places directly in them."""
    depth, direct = 1, []
    for place in range(start, len(code)):
        if code[place] == "{":
            depth += 1
        elif code[place] == "}":
            depth -= 1
            if depth == 0:
                return place, direct
        elif code[place] == "\n" and depth == 1:
            direct.append(place + 1)
    return len(code), direct


def declarations(code):
    """Where public declarations begin."""
    # What a C header declares is documented there.
    places = {found.start() for found in DECLARATION.finditer(code) if "@c @implementation" not in found.group()}
    for scope in SCOPE.finditer(code):
        _, direct = body(code, scope.end())
        places |= {place for place in direct if MEMBERS[scope.group(1)].match(code, place)}
    return sorted(places)


def is_documented(text, place):
    for line in reversed(text[:place].splitlines()):
        line = line.strip()
        if line.startswith("///") or line.endswith("*/"):
            return True
        if not line.startswith("@"):
            return False
    return False


def undocumented(text, code):
    return [place for place in declarations(code) if not is_documented(text, place)]


def check():
    return [
        file.at(place, "a public declaration without a comment: say what it is, its units, its errors, what 0 means")
        for file in swift_files("Sources")
        for place in undocumented(file.text, file.code)
    ]
