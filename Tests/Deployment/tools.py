"""Programs that these tests need and the project does not."""

import os
import shutil
import subprocess
import unittest
from functools import cache


def needs(program, package):
    """A class or test that is skipped, with a notice, where Debian's package is not installed."""
    return unittest.skipUnless(
        shutil.which(program, path="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"),
        f"{program} is missing: Debian's package {package} has it, and Scripts/deps --deployment-tools installs it",
    )


@cache
def network_trouble():
    """Why no network of one's own can be made here, or nothing."""
    if os.geteuid() != 0:
        return "networks of one's own take root"
    name = f"halcyon-try-{os.getpid()}"
    try:
        made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "there is no ip"
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return made.stderr.strip() and f"no network of one's own can be made here: {made.stderr.strip()}"


def needs_networks(test):
    """A class that is skipped, with a notice, where that can't be."""
    return unittest.skipIf(network_trouble(), network_trouble())(test)
