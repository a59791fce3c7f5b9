"""Licences and the bill of materials of what is inside the executables."""

import hashlib
import json
import re
import time as clock
import uuid
from pathlib import Path

LICENCE = re.compile(r"^(licen[cs]e|notice|copying)", re.IGNORECASE)


def pins(root):
    """What Package.resolved pins, by name."""
    document = json.loads((root / "Package.resolved").read_text())
    return sorted(document["pins"], key=lambda pin: pin["identity"])


def licences(root, checkouts):
    """The text of each licence by its file's name: one folder a package, those of parts that a package has taken in too."""
    found = {}
    for pin in pins(root):
        folder = checkouts / pin["identity"]
        if not folder.is_dir():
            raise FileNotFoundError(f"the sources of {pin['identity']} are not in {checkouts}: build once")
        names = [path for path in sorted(folder.iterdir()) if path.is_file() and LICENCE.match(path.name)]
        if not names:
            raise FileNotFoundError(f"{folder} has no licence")
        for path in names:
            found[f"{pin['identity']}/{path.name}"] = path.read_bytes()
    return found


def spdx_id(text):
    """What a licence's text is, by SPDX's name."""
    marks = [("Apache License", "Apache-2.0"), ("MIT License", "MIT"), ("Permission is hereby granted, free of charge", "MIT")]
    return next((name for mark, name in marks if mark in text), "NOASSERTION")


def engines(root):
    document = json.loads((root / "Sources" / "EngineInstallation" / "Program" / "engines.json").read_text())
    return sorted(document.items())


def bill(root, checkouts, version, swift, files, time):
    """A bill of materials as CycloneDX 1.5: what is in the files, and what they load at run time and do not hold."""
    components = [
        {
            "type": "library", "name": "swift-runtime", "version": swift, "bom-ref": "swift-runtime",
            "licenses": [{"license": {"id": "Apache-2.0"}}],
        }
    ]  # fmt: skip
    for pin in pins(root):
        state = pin["state"]
        folder = checkouts / pin["identity"]
        texts = [path.read_text(errors="replace") for path in sorted(folder.iterdir()) if LICENCE.match(path.name) and path.is_file()]
        licence = next((name for name in map(spdx_id, texts) if name != "NOASSERTION"), None)
        location = re.sub(r"\.git$", "", pin["location"])
        components.append({
            "type": "library", "name": pin["identity"], "version": state.get("version", state["revision"]),
            "bom-ref": pin["identity"],
            "purl": f"pkg:swift/{location.split('://', 1)[-1]}@{state.get('version', state['revision'])}",
            **({"licenses": [{"license": {"id": licence}}]} if licence else {}),
            "properties": [{"name": "revision", "value": state["revision"]}],
        })  # fmt: skip
    for name, engine in engines(root):
        components.append({
            "type": "library", "name": engine["package"], "version": engine["version"], "bom-ref": f"engine-{name}",
            "purl": f"pkg:pypi/{engine['package']}@{engine['version']}", "scope": "optional",
            "description": "Not in the package: installed by `halcyon engines install` and loaded at run time.",
        })  # fmt: skip
    digest = hashlib.sha256(b"".join(content for _, content in sorted(files.items()))).hexdigest()
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.UUID(digest[:32])}",
        "version": 1,
        "metadata": {
            "timestamp": clock.strftime("%Y-%m-%dT%H:%M:%SZ", clock.gmtime(time)),
            "component": {"type": "application", "name": "halcyon", "version": version, "bom-ref": "halcyon"},
        },
        "components": components,
        "dependencies": [{"ref": "halcyon", "dependsOn": [each["bom-ref"] for each in components]}],
    }
    for name, content in sorted(files.items()):
        document["components"].append({
            "type": "file", "name": name, "bom-ref": f"file-{Path(name).name}",
            "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}],
        })  # fmt: skip
    return json.dumps(document, indent=1) + "\n"
