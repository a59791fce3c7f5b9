"""The metric families that the code defines: their names, kinds and help texts, read from Sources/MetricsExposition."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = ROOT / "Sources" / "MetricsExposition"

# The initialisers that define a family, and the kind that each stands for; `None` where the kind is written.
MAKERS = {
    "MetricFamily": None,
    "Counter": "counter",
    "Gauge": "gauge",
    "GPUGauge": "gauge",
    "Distribution": "histogram",
    "Summary": "summary",
}
DEFINITION = re.compile(
    r'\b(?P<maker>' + "|".join(MAKERS) + r')\(\s*(?:\.(?P<kind>\w+),\s*)?"(?P<name>\w+)",\s*"(?P<help>[^"]*)"'
    r"(?:,\s*\.(?P<later>counter|gauge))?"
)
# A definition whose name or help is not a plain text would be overlooked.
ANY = re.compile(r"\b(?:" + "|".join(MAKERS) + r')\(\s*(?:\.\w+,\s*)?(?!\s*(?:_|kind|name|let|\.))"')


@dataclass(frozen=True)
class Family:
    name: str
    kind: str
    help: str


def read(folder=SOURCES):
    """The families by name, in the order of the code."""
    families = {}
    for file in sorted(folder.glob("*.swift")):
        text = file.read_text()
        found = list(DEFINITION.finditer(text))
        overlooked = len(ANY.findall(text)) - len(found)
        if overlooked:
            raise ValueError(f"{file.name}: {overlooked} metric families are not written as name and help text")
        for match in found:
            kind = match["kind"] or match["later"] or MAKERS[match["maker"]]
            families[match["name"]] = Family(match["name"], kind, match["help"])
    if not families:
        raise ValueError(f"there are no metric families in {folder}")
    return families
