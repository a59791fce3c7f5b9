"""Code that nothing uses: a name which Sources declares and which appears nowhere but in declarations.

It works on names, not on meaning, so it misses some dead code (a dead function that shares its name with a live one)
and it takes what only the language itself or another program calls for dead. The latter stands in unused_allowed.txt,
each with the reason; an entry that is no longer needed is a complaint too."""

import re
from collections import Counter, defaultdict
from pathlib import Path

from .swift_text import ROOT, swift_files

ALLOWED = Path(__file__).with_name("unused_allowed.txt")
WORD = re.compile(r"`?\b([A-Za-z_]\w*)\b`?")
DECLARATION = re.compile(
    r"(?<![.\w])(?:func|var|let|struct|class|enum|typealias|protocol|actor|associatedtype)[ \t]+`?([A-Za-z_]\w*)`?"
)
CASE = re.compile(r"^[ \t]*(?:indirect[ \t]+)?case[ \t]+(?=[`A-Za-z_])", re.MULTILINE)
CASE_NAME = re.compile(r"`?([A-Za-z_]\w*)`?")
PATTERN_WORDS = {"let", "var", "is", "nil", "true", "false", "self", "Self"}


def names_of_case(code, position):
    """(name, offset) of each name that the enumeration case at `position` declares. A pattern in a switch has a colon
    outside of all parentheses, and declares none."""
    names = []
    depth = 0
    expecting = True
    while position < len(code) and (depth or code[position] not in "\n=;}"):
        name = CASE_NAME.match(code, position) if depth == 0 and expecting else None
        if name:
            if name.group(1) in PATTERN_WORDS:
                return []
            names.append((name.group(1), name.start(1)))
            expecting = False
            position = name.end()
            continue
        character = code[position]
        depth += (character in "([") - (character in ")]")
        if depth == 0 and character in ":.":
            return []
        if depth == 0 and character == ",":
            expecting = True
        position += 1
    return names


def declarations(file):
    for found in DECLARATION.finditer(file.code):
        # C programs call what a C header declares.
        if file.code[: found.start()].endswith("@c @implementation public "):
            continue
        yield found.group(1), found.start(1)
    for found in CASE.finditer(file.code):
        yield from names_of_case(file.code, found.end())


def allowed_names():
    names = {}
    for number, line in enumerate(ALLOWED.read_text().splitlines(), 1):
        entry, _, reason = line.partition("#")
        if entry.strip():
            names[entry.strip()] = (number, reason.strip())
    return names


def check():
    mentions = Counter()
    declared = Counter()
    places = defaultdict(list)
    for file in swift_files():
        mentions.update(WORD.findall(file.code))
        for name, offset in declarations(file):
            declared[name] += 1
            if file.room == "Sources":
                places[name].append((file, offset))
    allowed = allowed_names()
    complaints = []
    for name, found in places.items():
        if name != "_" and mentions[name] <= declared[name] and name not in allowed:
            complaints += [file.at(offset, f"`{name}` is declared and never used") for file, offset in found]
    where = ALLOWED.relative_to(ROOT)
    for name, (number, reason) in allowed.items():
        if not reason:
            complaints.append(f"{where}:{number}: `{name}` has no reason")
        if name not in places:
            complaints.append(f"{where}:{number}: `{name}` is not declared any more")
        elif mentions[name] > declared[name]:
            complaints.append(f"{where}:{number}: `{name}` is used; it needs no entry")
    return sorted(complaints)
