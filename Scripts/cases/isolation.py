"""A network and a set of processes for one thing that is tried."""

import os
import subprocess


def isolation():
    """The command that gives a program its network and its processes, or None where the system does not allow that."""
    command = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        command.insert(1, "--map-root-user")
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True)
        return command
    except (OSError, subprocess.CalledProcessError):
        return None
