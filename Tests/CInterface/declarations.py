"""The functions that the header declares: their names, and what they take."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HEADERS = ROOT / "Sources/CTriton/include/triton/core"
DECLARATION = re.compile(r"TRITONSERVER_DECLSPEC\s+([\w\s*]+?)\b(TRITON\w+)\s*\(([^()]*)\)\s*;")


@dataclass
class Parameter:
    type: str
    name: str


@dataclass
class Function:
    name: str
    result: str
    parameters: list


def parameter(text):
    match = re.fullmatch(r"(.*?)(\w+)", " ".join(text.split()))
    return Parameter(re.sub(r"\s*\*", "*", match.group(1).replace("const ", "").replace("struct ", "")).strip(), match.group(2))


def functions(header="tritonserver.h"):
    text = re.sub(r"//[^\n]*", "", (HEADERS / header).read_text())
    found = []
    for result, name, parameters in DECLARATION.findall(text):
        taken = [] if parameters.strip() == "void" else [parameter(part) for part in parameters.split(",")]
        found.append(Function(name, "".join(result.split()), taken))
    return found


def names():
    """All names of the interface, in any of its headers."""
    return re.findall(r"X\((\w+)\)", (ROOT / "Sources/CTriton/Names.inc").read_text())
