"""What packages are made of, and that they are the same whenever they are made of the same."""

import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Scripts"))

from distribution import contents, executables, manual  # noqa: E402
from distribution.archives import Tree, deb, tar_gz  # noqa: E402

COMMAND = {
    "commandName": "tool",
    "abstract": "Does -things- well.",
    "discussion": "One.\n\n.Two 'three'",
    "subcommands": [{"commandName": "part", "abstract": "A part."}, {"commandName": "help"}],
    "arguments": [
        {"kind": "positional", "valueName": "what", "abstract": "What."},
        {
            "kind": "option", "names": [{"kind": "long", "name": "to-there"}, {"kind": "short", "name": "t"}],
            "valueName": "folder", "abstract": "Where to.", "defaultValue": "here", "sectionTitle": "Places",
        },
        {"kind": "flag", "names": [{"kind": "long", "name": "hidden"}], "shouldDisplay": False},
    ],
}  # fmt: skip


def example(order):
    tree = Tree()
    for name in order:
        tree.add(f"usr/{name}", name * 1000, 0o755 if name == "b" else 0o644)
    return tree


class Archives(unittest.TestCase):
    def test_the_order_in_which_files_come_makes_no_difference(self):
        self.assertEqual(tar_gz(example("ab"), 1000), tar_gz(example("ba"), 1000))
        packages = [deb(example("c"), example(order), 1000) for order in ("ab", "ba")]
        self.assertEqual(*packages)
        self.assertNotEqual(tar_gz(example("ab"), 1000), tar_gz(example("ab"), 1001))

    def test_files_have_their_modes_one_time_and_root(self):
        with tarfile.open(fileobj=io.BytesIO(tar_gz(example("ab"), 1000))) as archive:
            members = {member.name: member for member in archive}
        self.assertEqual({name: member.mode for name, member in members.items()}, {"usr": 0o755, "usr/a": 0o644, "usr/b": 0o755})
        self.assertEqual({(member.mtime, member.uid, member.gid, member.uname) for member in members.values()}, {(1000, 0, 0, "root")})

    def test_nothing_is_put_where_something_is(self):
        tree = example("a")
        with self.assertRaises(ValueError):
            tree.add("usr/a", "")

    @unittest.skipUnless(shutil.which("dpkg-deb"), "there is no dpkg-deb")
    def test_debians_tool_reads_the_package(self):
        control = Tree()
        control.add("control", "Package: a\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\nDescription: a\n")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.deb"
            path.write_bytes(deb(control, example("ab"), 1000))
            fields = subprocess.run(["dpkg-deb", "--field", path], check=True, capture_output=True, text=True).stdout
            self.assertIn("Package: a\n", fields)
            subprocess.run(["dpkg-deb", "--extract", path, f"{folder}/root"], check=True)
            self.assertEqual((Path(folder) / "root/usr/a").read_text(), "a" * 1000)
            subprocess.run(["dpkg-deb", "--control", path, f"{folder}/control"], check=True)
            sums = (Path(folder) / "control/md5sums").read_text().splitlines()
            self.assertEqual([line.split()[1] for line in sums], ["usr/a", "usr/b"])


class Manual(unittest.TestCase):
    def test_a_page_has_all_that_is_to_be_shown(self):
        page = manual.page(COMMAND, ["tool"], "2026-01-01", "1")
        for line in (
            "tool \\- Does \\-things\\- well", "\\fB\\-\\-to\\-there\\fR, \\fB\\-t\\fR \\fIfolder\\fR", "Where to. The default is here.",
            ".SH \"PLACES\"", "\\&.Two \\(aqthree\\(aq", "\\fBpart\\fR", "\\fBtool\\-part\\fR(1)",
        ):  # fmt: skip
            self.assertIn(f"{line}\n", page)
        self.assertNotIn("hidden", page)
        self.assertNotIn("help", page)

    @unittest.skipUnless(shutil.which("groff"), "there is no groff")
    def test_a_page_is_set_without_a_warning(self):
        page = manual.page(COMMAND, ["tool"], "2026-01-01", "1")
        run = subprocess.run(["groff", "-man", "-z", "-ww"], input=page, capture_output=True, text=True, check=True)
        self.assertEqual(run.stderr, "")


class Contents(unittest.TestCase):
    def test_the_bill_names_all_that_is_pinned(self):
        with tempfile.TemporaryDirectory() as folder:
            for pin in contents.pins(ROOT):
                (Path(folder) / pin["identity"]).mkdir()
                (Path(folder) / pin["identity"] / "LICENSE.txt").write_text("Apache License\nVersion 2.0")
            bills = [contents.bill(ROOT, Path(folder), "1", "6.3", {"usr/bin/a": b"a"}, 1000) for _ in range(2)]
            self.assertEqual(*bills)
            components = json.loads(bills[0])["components"]
            names = {component["name"] for component in components}
            self.assertLessEqual({"swift-nio", "swift-runtime", "openvino", "onnxruntime", "usr/bin/a"}, names)
            self.assertEqual(len({component["bom-ref"] for component in components}), len(components))
            self.assertEqual(len(contents.licences(ROOT, Path(folder))), len(contents.pins(ROOT)))
            (Path(folder) / "swift-nio" / "LICENSE.txt").unlink()
            with self.assertRaises(FileNotFoundError):
                contents.licences(ROOT, Path(folder))


class Needs(unittest.TestCase):
    def test_libraries_have_packages_and_unknown_ones_are_an_error(self):
        self.assertEqual(executables.dependencies([Path("/bin/true").resolve()])[0].split(" (")[0], "libc6")
        with self.assertRaisesRegex(executables.Unfit, "knows no package"):
            executables.dependencies([Path(shutil.which("dpkg-deb") or "/usr/bin/bash").resolve()])


if __name__ == "__main__":
    unittest.main()
