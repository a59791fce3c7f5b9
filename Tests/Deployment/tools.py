"""Programs that these tests need and the project does not."""

import shutil
import unittest


def needs(program, package):
    """A class or test that is skipped, with a notice, where Debian's package is not installed."""
    return unittest.skipUnless(
        shutil.which(program, path="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"),
        f"{program} is missing: Debian's package {package} has it, and Scripts/deps --deployment-tools installs it",
    )
