"""The files that are made, and whether they are as they would be made now."""

import json

from . import dashboard, families, rules
from .text import yaml

FOLDER = families.ROOT / "Deployment" / "monitoring"
NOTE = "# Made by Scripts/make_monitoring from the metrics that the code defines: change it there.\n"


def texts():
    """The text of each file by its path."""
    known = families.read()
    return {
        FOLDER / "dashboard.json": json.dumps(dashboard.document(known), indent=2, ensure_ascii=False) + "\n",
        FOLDER / "alerts.yaml": NOTE + "\n".join(yaml(rules.groups(known))) + "\n",
        FOLDER / "adapter.yaml": NOTE + "\n".join(yaml(rules.adapter(known))) + "\n",
        families.ROOT / "Deployment" / "kubernetes" / "base" / "prometheusrule.yaml": (
            NOTE + "\n".join(yaml(rules.for_operator(known))) + "\n"
        ),
    }


def check():
    """What differs, as the lint says it."""
    try:
        wanted = texts()
    except ValueError as error:
        return [f"Scripts/monitoring: {error}"]
    return [
        f"{path.relative_to(families.ROOT)}: is not as the metrics in the code make it; run Scripts/make_monitoring"
        for path, text in wanted.items()
        if not path.is_file() or path.read_text() != text
    ]
