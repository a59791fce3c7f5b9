#!/usr/bin/env python3
"""Puts the fetched default model into the sample's model repositories.

The server refuses links that lead out of a repository, so the file itself has to be there: a second name for the same
file where the file system allows it, a copy elsewhere.
"""

import filecmp
import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / ".deps" / "models" / "pedestrian_ssdlite" / "frozen_inference_graph.pb"
EXAMPLE = ROOT / "Examples" / "people_detection"


def place(target):
    temporary = target.with_suffix(".partial")
    temporary.unlink(missing_ok=True)
    try:
        os.link(SOURCE, temporary)
    except OSError:
        shutil.copyfile(SOURCE, temporary)
    # A rename onto another name of the same file does nothing and leaves both names, so the old name goes first.
    target.unlink(missing_ok=True)
    temporary.rename(target)


def main():
    for repository in sorted(EXAMPLE.glob("model_repository_*")):
        version = repository / "pedestrian_ssdlite" / "1"
        version.mkdir(parents=True, exist_ok=True)
        target = version / "model.pb"
        if not (target.is_file() and filecmp.cmp(SOURCE, target, shallow=False)):
            place(target)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"error: {error}")
