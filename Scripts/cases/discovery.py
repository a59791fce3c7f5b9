"""Which cases a folder has, and what is right for each."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
EXPECTED = ROOT / "Tests" / "Cases" / "expected"
# Any of these makes a folder a case.
MARKS = ("case.json", "run.sh", "expected.json", "expected.txt")
# Files that are tools beside the cases.
TOOLS = ("serve",)


@dataclass(frozen=True)
class Case:
    """`path` is a folder, or one script in a folder of scripts; `root` is the folder that was asked about."""

    root: Path
    path: Path

    @property
    def name(self):
        return str(self.path.relative_to(self.root)) if self.path != self.root else self.path.name

    @property
    def key(self):
        """What its expectation is called: its path's last part without number and ending, behind its folder's where that is
        a case of several."""
        parts = [slug(part) for part in self.path.parts[-2:]]
        joined = "-".join(parts)
        return joined if (EXPECTED / f"{joined}.json").is_file() else parts[-1]


def slug(name):
    """A name without its leading number and without the ending of a script."""
    return re.sub(r"\.(py|sh)$", "", re.sub(r"^[0-9]+[-_]", "", name))


def known(name):
    return (EXPECTED / f"{slug(name)}.json").is_file()


def find(root):
    """All cases below a folder, in the order of their names."""
    if any((root / mark).is_file() for mark in MARKS):
        return [Case(root, root)]
    cases = []
    for entry in sorted(root.iterdir()):
        if entry.name.startswith(".") or entry.name in TOOLS:
            continue
        if entry.is_dir():
            is_case = any((entry / mark).is_file() for mark in MARKS) or known(entry.name)
            is_model = (entry / "model.onnx").is_file()
            if is_case or is_model:
                cases.append(Case(root, entry))
            else:
                cases += [Case(root, case.path) for case in find(entry)]
        elif entry.suffix in (".py", ".sh") and (known(entry.name) or has_number(entry.name)):
            cases.append(Case(root, entry))
    return cases


def has_number(name):
    return re.match(r"[0-9]+[-_]", name) is not None


def copy(case, place):
    """A copy of the case and of what stands beside it, to which cases refer by ../; answers the copied case's folder."""
    folder = case.path if case.path.is_dir() else case.path.parent
    around = folder.parent if folder != case.root else folder
    target = place / "cases"
    shutil.copytree(around, target, symlinks=True, ignore_dangling_symlinks=True)
    for path in [target, *target.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o200 | (0o100 if path.is_dir() else 0))
    for configuration in target.rglob("config.pbtxt"):
        complete(configuration.parent)
    return target / folder.relative_to(around)


def complete(model):
    """Version control keeps no empty folders: a model that needs no file gets its version's folder back."""
    needs_none = re.search(r'"(ensemble|identity|repeat)"', (model / "config.pbtxt").read_text(errors="replace"))
    if needs_none and not any(path.is_dir() for path in model.iterdir()):
        (model / "1").mkdir()


def runnable(folder):
    return any((folder / name).exists() for name in ("run.sh", "repository", "models", "setup.sh", "model.onnx"))


def expectation(case, folder):
    """What is right, in the form of Tests/Cases/README.md; None where nobody has said it."""
    ours = EXPECTED / f"{case.key}.json"
    if ours.is_file():
        return json.loads(ours.read_text())
    if (folder / "expected.json").is_file():
        said = json.loads((folder / "expected.json").read_text())
        return said if "checks" in said else {"checks": [{"run": "./run.sh", **said}]}
    if (folder / "expected.txt").is_file():
        return {"checks": [{"run": "./run.sh", "text": (folder / "expected.txt").read_text()}]}
    if (folder / "case.json").is_file():
        return from_case(json.loads((folder / "case.json").read_text()), folder)
    return None


def is_timed(case):
    ours = EXPECTED / f"{case.key}.json"
    return ours.is_file() and json.loads(ours.read_text()).get("alone", False)


def from_case(said, folder):
    """A case.json whose `expected` is an object, and whose `request` is one, or a text such as "POST /v2/… with FILE"."""
    expected = said.get("expected")
    if isinstance(expected, str) and expected.startswith("READY"):
        expected = {"state": "READY"}
    if not isinstance(expected, dict) or not expected:
        return None
    expected = dict(expected)
    checks = []
    state = expected.pop("state", None)
    if state is not None:
        checks.append({"models": said.get("model", "*"), "state": state})
    request = request_of(said.get("request"), folder)
    if request is None and set(expected) - {"log"}:
        return None
    if request is not None:
        check = {**request, "status": expected.pop("status", 200), "is": {}, "near": {}}
        for word in ("contains", "absent", "matches"):
            if word in expected:
                check[word] = expected.pop(word)
        if "error" in expected:
            check.setdefault("contains", [])
            check["contains"] = [*as_list(check["contains"]), expected.pop("error")]
        if "data" in expected:
            check["near"]["outputs[0].data"] = expected.pop("data")
        check["is"].update(expected)
        checks.append(check)
    serve = serve_of(said, folder)
    prepare = [f"bash {name}" for name in ("setup.sh", "make.sh") if (folder / name).is_file()]
    return {"prepare": prepare, "serve": serve, "checks": checks}


def serve_of(said, folder):
    """The repository and the flags, which may stand in a `command` such as "halcyon serve --model-repository DIR FLAGS"."""
    words = said.get("command", "").split()
    flags = words[2:] if words[:2] == ["halcyon", "serve"] else []
    for index, flag in enumerate(flags):
        if flag == "--model-repository":
            flags[index : index + 2] = []
    flags = [flag for flag in flags if not flag.startswith("--model-repository=")]
    here = [name for name in ("repository", "models", "current") if (folder / name).exists()] or ["repository"]
    return {"repository": said.get("repository", here[0]), "flags": [*flags, *as_list(said.get("flags", []))]}


def as_list(value):
    return value.split() if isinstance(value, str) else list(value)


def request_of(said, folder):
    if isinstance(said, dict):
        method = said.get("method", "POST").lower()
        request = {method: said.get("path", "/")}
        body = said.get("body")
        if body is not None:
            request["body"] = body
        return request
    found = re.search(r"\b(GET|POST) (/\S+)(?: with (\S+))?", said) if isinstance(said, str) else None
    if found is None or (found[3] and not (folder / found[3]).is_file()):
        return None
    return {found[1].lower(): found[2], **({"body": found[3]} if found[3] else {})}
