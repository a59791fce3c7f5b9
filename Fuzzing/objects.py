"""Prints the object files of a build folder, those of which the source is still there: objects.py FOLDER.

A folder in which something was built before a file or a target got another name has the old objects beside the new ones.
"""

import json
import pathlib
import sys


def objects(folder):
    files = folder / "output-file-map.json"
    if not files.exists():
        # Not Swift.
        yield from sorted(folder.rglob("*.o"))
        return
    for source, made in sorted(json.loads(files.read_text()).items()):
        made = pathlib.Path(made.get("object", ""))
        if source and pathlib.Path(source).exists() and made.is_file():
            yield made


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for folder in sorted(pathlib.Path(sys.argv[1]).glob("*.build")):
        if not folder.name.endswith("-tool.build"):
            for path in objects(folder):
                print(path)


if __name__ == "__main__":
    main()
