"""YAML as a person would write it, of dictionaries, lists, texts, numbers and truth values."""

import json
import re

PLAIN = re.compile(r"^[A-Za-z/_][A-Za-z0-9_./-]*$")
WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def scalar(value):
    if isinstance(value, str) and PLAIN.match(value) and value.lower() not in WORDS:
        return value
    if isinstance(value, str) and "'" not in value and "\n" not in value:
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False)


def yaml(value, indent=0):
    space = " " * indent
    lines = []
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, (dict, list)) and item:
                lines += [f"{space}{key}:", *yaml(item, indent + 2)]
            else:
                lines.append(f"{space}{key}: {scalar(item)}")
    else:
        for item in value:
            if isinstance(item, (dict, list)) and item:
                inner = yaml(item, indent + 2)
                lines += [f"{space}- {inner[0].lstrip()}", *inner[1:]]
            else:
                lines.append(f"{space}- {scalar(item)}")
    return lines
