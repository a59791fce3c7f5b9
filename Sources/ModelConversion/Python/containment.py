"""A model's files lie in the model's own folder: what leads elsewhere is refused before anything is read."""

import os

from reporting import invalid


def inside(folder, name, owner):
    """The path of a file that a model names, inside the model's folder.

    Raises for absolute names, `..`, links that lead out, and what is no regular file there.
    """
    if os.path.isabs(name) or "\\" in name or "\0" in name or ".." in name.split("/") or not name:
        raise invalid(f"{owner} names the file '{name}', which is not inside the model's own folder")
    path = os.path.join(folder, name)
    root = os.path.realpath(folder)
    real = os.path.realpath(path)
    if os.path.commonpath([root, real]) != root:
        raise invalid(f"{owner} names the file '{name}', a link that leads out of the model's own folder")
    if not os.path.isfile(real):
        raise invalid(f"{owner} names the file '{name}', but there is no such file beside it")
    return real


def check_folder(folder, owner):
    """Refuses a folder with links that lead out of it."""
    root = os.path.realpath(folder)
    for directory, folders, files in os.walk(folder, followlinks=False):
        for name in folders + files:
            path = os.path.join(directory, name)
            if os.path.islink(path) and os.path.commonpath([root, os.path.realpath(path)]) != root:
                raise invalid(f"{owner} holds '{os.path.relpath(path, folder)}', a link that leads out of the folder")
