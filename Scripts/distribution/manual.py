"""Manual pages, from what a program says of its own flags."""

import json
import subprocess
import time as clock


def described(program):
    text = subprocess.run([program, "--experimental-dump-help"], check=True, capture_output=True, text=True).stdout
    return json.loads(text)["command"]


def escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in text.split("\n"))


def flags(argument):
    """How an argument is written: its names, and its value in italics."""
    value = f"\\fI{escaped(argument.get('valueName', 'value'))}\\fR"
    if argument["kind"] == "positional":
        return value
    names = [("--" if name["kind"] == "long" else "-") + name["name"] for name in argument["names"]]
    shown = ", ".join(f"\\fB{escaped(name)}\\fR" for name in names)
    return shown if argument["kind"] == "flag" else f"{shown} {value}"


def page(command, words, date, version):
    """One page, of a command that is called by these words."""
    name = "-".join(words)
    subcommands = [each for each in command.get("subcommands", []) if each.get("shouldDisplay", True)]
    subcommands = [each for each in subcommands if each["commandName"] != "help"]
    arguments = [each for each in command.get("arguments", []) if each.get("shouldDisplay", True)]
    lines = [
        "'\\\" -*- coding: UTF-8 -*-",
        f'.TH "{escaped(name.upper())}" 1 "{date}" "Halcyon {version}" "Halcyon"',
        ".SH NAME",
        f"{escaped(name)} \\- {escaped(command.get('abstract', '').rstrip('.'))}",
        ".SH SYNOPSIS",
        f".B {escaped(' '.join(words))}",
    ]
    if subcommands:
        lines.append("\\fIcommand\\fR")
    if any(each["kind"] != "positional" for each in arguments):
        lines.append("[\\fIoption\\fR ...]")
    lines += [flags(each) for each in arguments if each["kind"] == "positional"]
    if discussion := command.get("discussion"):
        lines.append(".SH DESCRIPTION")
        for paragraph in discussion.split("\n\n"):
            lines += [escaped(paragraph), ".PP"]
        lines.pop()
    if subcommands:
        lines.append(".SH COMMANDS")
        for each in subcommands:
            lines += [".TP", f"\\fB{escaped(each['commandName'])}\\fR", escaped(each.get("abstract", ""))]
    sections = {}
    for each in arguments:
        sections.setdefault(each.get("sectionTitle") or "Options", []).append(each)
    for title, members in sections.items():
        lines.append(f'.SH "{escaped(title.upper())}"')
        for each in members:
            default = f" The default is {each['defaultValue']}." if each.get("defaultValue") else ""
            lines += [".TP", flags(each), escaped((each.get("abstract", "") + default).strip())]
    others = [f"\\fB{escaped('-'.join([*words, each['commandName']]))}\\fR(1)" for each in subcommands]
    if len(words) > 1:
        others.append(f"\\fB{escaped('-'.join(words[:-1]))}\\fR(1)")
    if others:
        lines += [".SH SEE ALSO", ", ".join(others)]
    return "\n".join(lines) + "\n"


def pages(program, name, version, time):
    """The text of each page by its file's name."""
    date = clock.strftime("%Y-%m-%d", clock.gmtime(time))
    found = {}

    def add(command, words):
        found["-".join(words) + ".1"] = page(command, words, date, version)
        for each in command.get("subcommands", []):
            if each.get("shouldDisplay", True) and each["commandName"] != "help":
                add(each, [*words, each["commandName"]])

    add(described(program), [name])
    return found
