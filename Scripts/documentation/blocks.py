"""The blocks of code in a page, with the marks above them."""

import re
from dataclasses import dataclass, field

# Languages that are run, and how their files are called.
RUN = {
    "sh": "sh", "bash": "sh", "console": None, "python": "py", "go": "go", "java": "java", "javascript": "js",
    "swift": "swift",
}  # fmt: skip
# Languages of what is only shown, or written to a file by a mark.
SHOWN = {"text", "c", "json", "pbtxt", "protobuf", "yaml", "toml", "xml", "dockerfile", "ini", "mermaid", "diff", "http"}
# Each mark, and whether words belong to it.
MARKS = {
    "skip": True, "server": None, "serves": False, "file": True, "output": False, "fails": False, "either": False, "continues": False,
    "seconds": True,
}  # fmt: skip
FENCE = re.compile(r"^( {0,3})(`{3,}|~{3,})\s*([\w+-]*)[^`]*$")
MARK = re.compile(r"<!--\s*check:\s*(.*?)\s*-->")


@dataclass
class Block:
    page: str
    line: int
    language: str
    text: str
    marks: dict = field(default_factory=dict)

    @property
    def place(self):
        return f"{self.page}:{self.line}"


def marks_of(words, place):
    """({mark: words}, complaints) of "server; seconds 20". A reason to skip goes on to the end."""
    marks, complaints = {}, []
    parts = [words] if words.startswith("skip") else [part.strip() for part in words.split(";")]
    for part in filter(None, parts):
        name, _, rest = part.partition(" ")
        name = name.removesuffix(":")
        if name not in MARKS:
            complaints.append(f"{place}: there is no mark '{name}'; the marks are {', '.join(MARKS)}")
        elif MARKS[name] and not rest:
            complaints.append(f"{place}: the mark '{name}' says what: a reason, a path, a number")
        marks[name] = rest
    return marks, complaints


def read(page, text):
    """(blocks, complaints) of a page in Markdown."""
    blocks, complaints = [], []
    pending, fence, block = {}, None, None
    indented = False
    for number, line in enumerate(text.splitlines(), 1):
        if fence is not None:
            if line.strip().startswith(fence) and set(line.strip()) == {fence[0]}:
                blocks.append(block)
                fence, pending = None, {}
            else:
                block.text += line + "\n"
            continue
        if found := FENCE.match(line):
            fence = found[2]
            block = Block(page, number, found[3].lower(), "", pending)
            if block.language not in RUN and block.language not in SHOWN:
                complaints.append(f"{block.place}: the language '{block.language}' is none of {', '.join([*RUN, *sorted(SHOWN)])}")
        elif found := MARK.search(line):
            marks, wrong = marks_of(found[1], f"{page}:{number}")
            pending = {**pending, **marks}
            complaints += wrong
        elif line.startswith("    ") and line.strip() and not indented and previous_is_blank(text, number):
            complaints.append(f"{page}:{number}: an indented block of code: a fence with a language says whether it is run")
        elif line.strip():
            pending = {}
        # The lines of a list's entry are indented too, and those behind an indented line belong to it.
        indented = bool(line.strip()) and (line.startswith("    ") or re.match(r"\s*([-*]|[0-9]+\.)\s", line) is not None) or (
            indented and not line.strip())  # fmt: skip
    if fence is not None:
        complaints.append(f"{block.place}: this block has no end")
    return blocks, complaints


def previous_is_blank(text, number):
    lines = text.splitlines()
    return number == 1 or not lines[number - 2].strip()
