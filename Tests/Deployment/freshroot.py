"""A fresh Debian without Swift, in a folder, in which the package is installed and run."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from server import ROOT

CACHE = ROOT / ".deps" / "roots"
# Beside what the package depends on: what it recommends, by which engines are downloaded.
BESIDE = ["ca-certificates", "python3", "python3-pip-whl"]
PROGRAM = ROOT / "Sources" / "EngineInstallation" / "Program"


def dependencies(package):
    """The first of each alternative of a package's dependencies, without versions."""
    fields = subprocess.run(["dpkg-deb", "--field", package, "Depends"], check=True, capture_output=True, text=True).stdout
    return sorted(part.split("|")[0].split("(")[0].strip() for part in fields.split(","))


def system(packages):
    """The archive of a minimal Debian with these packages, which is kept: making it takes minutes."""
    name = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:12]
    archive = CACHE / f"bookworm-{name}.tar"
    if not archive.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        partial = archive.with_suffix(".partial.tar")
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}", "bookworm", partial]
        subprocess.run(command, check=True)
        partial.rename(archive)
    return archive


def wheel(engine):
    """The pinned wheel of an engine, which pip downloads or has."""
    pin = json.loads((PROGRAM / "engines.json").read_text())[engine]
    machine = pin["machines"][os.uname().machine]
    folder = CACHE / engine
    found = list(folder.glob("*.whl"))
    if not found:
        folder.mkdir(parents=True, exist_ok=True)
        requirement = folder / "requirement.txt"
        requirement.write_text(f"{pin['package']}=={pin['version']} --hash=sha256:{machine['sha256']}\n")
        subprocess.run(
            [sys.executable, "-m", "pip", "--quiet", "download", "--no-deps", "--require-hashes", "--only-binary", ":all:",
             "--dest", folder, "--requirement", requirement, "--platform", machine["platform"], "--python-version", "311",
             "--implementation", "cp", "--abi", "cp311"], check=True,
        )  # fmt: skip
        found = list(folder.glob("*.whl"))
    return found[0]


class Root:
    """`with Root(archive) as root:`, a folder with a system in it."""

    def __init__(self, archive=None):
        self.archive = archive

    def __enter__(self):
        self.path = Path(tempfile.mkdtemp(prefix="halcyon-root-"))
        self.path.chmod(0o755)
        if self.archive:
            subprocess.run(["tar", "-C", self.path, "-xf", self.archive, "--exclude=./dev/*"], check=True)
        return self

    def __exit__(self, kind, error, trace):
        shutil.rmtree(self.path, ignore_errors=True)

    def command(self, words, user="root", read_only=False):
        """A command inside, in mounts and processes of its own, which go when it ends."""
        user_words = [] if user == "root" else [f"--userspec={user}"]
        setup = [
            'mkdir -p "$1/proc" "$1/dev" "$1/tmp"',
            'mount --bind "$1" "$1"',
            'mount -t proc proc "$1/proc"',
            'mount -t tmpfs -o mode=755 dev "$1/dev"',
            *(f'touch "$1/dev/{name}" && mount --bind /dev/{name} "$1/dev/{name}"' for name in ("null", "zero", "random", "urandom")),
            'mkdir -m 1777 "$1/dev/shm" && mount -t tmpfs -o mode=1777 shm "$1/dev/shm"',
            'mount -t tmpfs -o mode=1777 tmp "$1/tmp"',
        ]
        if read_only:
            setup.append('mount -o remount,bind,ro "$1"')
        script = " && ".join(setup) + f" && root=$1 && shift && exec chroot {' '.join(user_words)} \"$root\" \"$@\""
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", str(self.path), *words]

    def reach_the_network(self):
        """As this machine does: its names of hosts, the certificates that it trusts, and what it tells pip."""
        for name in ("etc/resolv.conf", "etc/hosts", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt"):
            source = Path("/", name)
            if source.is_file():
                (self.path / name).unlink(missing_ok=True)
                shutil.copy(source, self.path / name)
        kinds = ("pip_", "http_proxy", "https_proxy", "no_proxy", "ssl_cert_file")
        return {name: value for name, value in os.environ.items() if name.lower().startswith(kinds)}

    def run(self, *words, user="root", variables=None):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root", **(variables or {})}
        done = subprocess.run(self.command(words, user), capture_output=True, text=True, env=environment, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    @contextlib.contextmanager
    def serving(self, words, port, user, read_only=False, variables=None):
        """A server inside; it gives the seconds from its start until it was ready."""
        log = tempfile.TemporaryFile("w+")
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **(variables or {})}
        start = time.monotonic()
        process = subprocess.Popen(self.command(words, user, read_only), stdout=log, stderr=log, env=environment)
        try:
            while not ready(port):
                if process.poll() is not None or time.monotonic() > start + 60:
                    log.seek(0)
                    raise AssertionError(f"the server is not ready ({process.poll()}):\n{log.read()[-3000:]}")
                time.sleep(0.005)
            yield time.monotonic() - start
            process.terminate()
            status = process.wait(timeout=40)
            if status != 0:
                log.seek(0)
                raise AssertionError(f"the server ended with {status}:\n{log.read()[-3000:]}")
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            log.close()


def ready(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/health/ready", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


# Two of the four on the demo's photograph are whole and in front.
PEOPLE = range(2, 5)


def people(port):
    """How many people the demo's ensemble finds on the demo's photograph."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v2/models/people/infer", (ROOT / ".deps" / "images" / "bus.jpg").read_bytes(),
        {"Inference-Header-Content-Length": "0"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=60) as answer:
        return int.from_bytes(answer.read()[-4:], "little")


def lay_models(folder):
    """The demo's model and the ensemble around it, as a repository."""
    example = ROOT / "Examples" / "people_detection"
    shutil.copytree(example / "model_repository_3" / "pedestrian_ssdlite", folder / "pedestrian_ssdlite", dirs_exist_ok=True)
    shutil.copytree(example / "ensemble", folder, dirs_exist_ok=True)
