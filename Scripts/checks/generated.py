"""Generated code is what its sources make: the sums that Scripts/protos.py wrote down still hold."""

import hashlib

from .swift_text import ROOT

SUMS = ROOT / "Protos" / "checksums"


def check():
    complaints = []
    listed = set()
    for line in SUMS.read_text().splitlines():
        expected, name = line.split(maxsplit=1)
        listed.add(name)
        file = ROOT / name
        if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != expected:
            complaints.append(f"{name}: is not as Scripts/protos.py left it; run that script")
    found = [*(ROOT / "Protos").glob("*.proto"), *(ROOT / "Sources" / "KServeMessages").iterdir()]
    for file in found:
        name = str(file.relative_to(ROOT))
        if name not in listed:
            complaints.append(f"{name}: is not in Protos/checksums; run Scripts/protos.py")
    return complaints
