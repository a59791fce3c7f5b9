"""What the environments are made of: pinned by version and checksum, and of one version where several files need it."""

import re
import unittest

from support import WORKER

ENTRY = re.compile(
    r'^([a-z0-9.-]+)==([0-9][^ ;]*)( ; python_version [<>]=? "3\.1[0-9]")?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$',
    re.M,
)


def entries(name):
    text = (WORKER / name).read_text()
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    found = ENTRY.findall(lines)
    return lines.strip(), found


class Requirements(unittest.TestCase):
    FILES = ("requirements_base.txt", "requirements_int8.txt", "requirements_onnx.txt")

    def test_each_package_is_pinned(self):
        for name in self.FILES:
            lines, found = entries(name)
            self.assertEqual(lines.count("=="), len(found), name)
            self.assertEqual(lines.count("--hash"), sum(hashes.count("--hash") for *_, hashes in found), name)

    def test_one_version_of_each(self):
        versions = {}
        for name in self.FILES:
            for package, version, marker, _ in entries(name)[1]:
                self.assertEqual(versions.setdefault((package, marker), version), version, package)

    def test_nothing_reports_home(self):
        for name in self.FILES:
            self.assertNotIn("telemetry", entries(name)[0])


if __name__ == "__main__":
    unittest.main()
