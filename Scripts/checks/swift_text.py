"""Swift source files as the checks see them: with line numbers, and without comments and the text of strings."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ROOMS = ("Sources", "Tests", "Examples", "Benchmarks", "Fuzzing")

OPENING_QUOTE = re.compile(r'(#*)("""|")')


def code_only(text):
    """`text` with comments and the literal part of strings blanked. What stands in an interpolation stays, and so do
    all line breaks, so an offset in the result is the same offset in the file."""
    out = []
    position = 0
    # What is open: ("string", closing quote, interpolation opening) or ("code", depth of parentheses).
    stack = [["code", 0]]

    def blank(piece):
        out.append(re.sub(r"[^\n]", " ", piece))

    while position < len(text):
        top = stack[-1]
        if top[0] == "string":
            _, closing, opening = top
            if text.startswith(opening, position):
                blank(opening)
                position += len(opening)
                stack.append(["code", 0])
            elif text.startswith(closing, position):
                blank(closing)
                position += len(closing)
                stack.pop()
            elif text[position] == "\\" and not closing.endswith("#"):
                blank(text[position : position + 2])
                position += 2
            else:
                blank(text[position])
                position += 1
            continue
        if text.startswith("//", position):
            end = text.find("\n", position)
            end = len(text) if end < 0 else end
            blank(text[position:end])
            position = end
        elif text.startswith("/*", position):
            end = position + 2
            depth = 1
            while end < len(text) and depth:
                if text.startswith("/*", end):
                    depth, end = depth + 1, end + 2
                elif text.startswith("*/", end):
                    depth, end = depth - 1, end + 2
                else:
                    end += 1
            blank(text[position:end])
            position = end
        elif quote := OPENING_QUOTE.match(text, position):
            hashes, marks = quote.groups()
            blank(quote.group())
            position = quote.end()
            stack.append(["string", marks + hashes, "\\" + hashes + "("])
        elif text[position] == ")" and top[1] == 0 and len(stack) > 1:
            blank(")")
            position += 1
            stack.pop()
        else:
            character = text[position]
            top[1] += (character == "(") - (character == ")")
            out.append(character)
            position += 1
    return "".join(out)


@dataclass(frozen=True)
class SwiftFile:
    """One source file; `room` is its top folder and `target` the folder below that."""

    path: Path

    @property
    def relative(self):
        return self.path.relative_to(ROOT)

    @property
    def room(self):
        return self.relative.parts[0]

    @property
    def target(self):
        return self.relative.parts[1]

    @cached_property
    def text(self):
        return self.path.read_text()

    @cached_property
    def code(self):
        return code_only(self.text)

    def line(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def at(self, offset, message):
        return f"{self.relative}:{self.line(offset)}: {message}"


def swift_files(*rooms):
    """All Swift files of the rooms but generated ones and those in build folders of packages."""
    return [
        SwiftFile(path)
        for room in rooms or ROOMS
        for path in sorted((ROOT / room).rglob("*.swift"))
        if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
        and not path.name.endswith(".pb.swift")
    ]
