"""The package in a Debian that runs: systemd starts the service, restarts it when it dies, and stops it."""

import os
import shutil
import subprocess
import unittest

from freshroot import BESIDE, PEOPLE, Root, dependencies, lay_models, system, wheel
from package import packages
from server import ROOT
from tools import needs

# What happens inside: each line that it says is NAME=VALUE.
STEPS = """
say() { echo "$1=$2" >> /result; }
wait_for() { for i in $(seq 600); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done; return 1; }
systemctl enable --now halcyon; say started $?
wait_for halcyon health --ready; say ready $?
wait_for halcyon health --model people; say people_ready $?
pid=$(systemctl show halcyon -P MainPID)
say user $(stat -c %U /proc/$pid)
say capabilities $(grep CapEff /proc/$pid/status | cut -f2)
say filter $(grep Seccomp: /proc/$pid/status | cut -f2)
say people $(python3 -c '
import urllib.request as u
picture = open("/bus.jpg", "rb").read()
request = u.Request("http://127.0.0.1:8000/v2/models/people/infer", picture, {"Inference-Header-Content-Length": "0"})
print(int.from_bytes(u.urlopen(request).read()[-4:], "little"))')
say refused $(journalctl -u halcyon --no-pager | grep -c "Operation not permitted")
kill -KILL $pid
wait_for sh -c "test \\$(systemctl show halcyon -P MainPID) != $pid -a \\$(systemctl show halcyon -P MainPID) != 0"
wait_for halcyon health --ready; say ready_again $?
say restarts $(systemctl show halcyon -P NRestarts)
systemctl stop halcyon; say result $(systemctl show halcyon -P Result)
journalctl -u halcyon --no-pager > /journal
"""
UNIT = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
TimeoutStartSec=240
ExecStart=/bin/sh /steps
ExecStopPost=/bin/systemctl --no-block poweroff
"""


@needs("systemd-nspawn", "systemd-container")
@needs("mmdebstrap", "mmdebstrap")
@unittest.skipUnless(os.geteuid() == 0, "a system of one's own takes root")
class Booted(unittest.TestCase):
    takes_minutes = True
    executables = None

    def boot(self, root):
        """Until it has turned itself off. /run is a file system in memory wherever systemd-nspawn runs, if need be made one."""
        inner = "mount -t tmpfs tmpfs /run && exec systemd-nspawn --register=no --keep-unit --private-network --quiet " \
            '--console=passive --boot --system-call-filter="$2" --directory="$1"'
        # The container's own filter leaves out calls that any process has outside.
        calls = "landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp"
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", inner, "sh", root.path, calls]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
        if not (root.path / "result").is_file():
            self.skipTest(f"systemd does not start in a container here: {(done.stdout + done.stderr)[-600:]}")

    def test_the_service_starts_serves_comes_again_and_stops(self):
        package = next(packages(self.executables).glob("*.deb"))
        root = self.enterContext(Root(system(sorted({*dependencies(package), *BESIDE, "systemd-sysv", "dbus"}))))
        shutil.copy(package, root.path / "halcyon.deb")
        root.run("dpkg", "--install", "/halcyon.deb")
        found = wheel("openvino")
        shutil.copy(found, root.path / found.name)
        root.run("halcyon", "engines", "install", "openvino", "--wheel", f"/{found.name}")
        lay_models(root.path / "var/lib/halcyon/models")
        shutil.copy(ROOT / ".deps" / "images" / "bus.jpg", root.path / "bus.jpg")
        (root.path / "steps").write_text(STEPS)
        wants = root.path / "etc/systemd/system/multi-user.target.wants"
        wants.mkdir(parents=True, exist_ok=True)
        (root.path / "etc/systemd/system/steps.service").write_text(UNIT)
        (wants / "steps.service").symlink_to("../steps.service")
        # All workers' rights are taken as well as the service's.
        configuration = root.path / "etc/halcyon/halcyon.conf"
        text = configuration.read_text().replace('models"', 'models --isolation process --sandbox"')
        configuration.write_text(text)
        self.boot(root)
        result = dict(line.split("=", 1) for line in (root.path / "result").read_text().splitlines())
        print(f"\n  {result}")
        journal = (root.path / "journal").read_text()[-4000:] if (root.path / "journal").is_file() else "no journal"
        self.assertIn(int(result.pop("people") or 0), PEOPLE, journal)
        self.assertEqual(result, {
            "started": "0", "ready": "0", "people_ready": "0", "user": "halcyon", "capabilities": "0000000000000000",
            "filter": "2", "refused": "0", "ready_again": "0", "restarts": "1", "result": "success",
        }, journal)  # fmt: skip
