"""Replicas in networks of their own behind HAProxy: what a cluster does to a Deployment, by the same rules."""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from server import identity

SLOTS = 7
BALANCER = "10.77.0.1"
HTTP_PORT, GRPC_PORT = 8000, 8001
# The times of the Deployment, a tenth as long where the server has no say in them.
PRE_STOP = 0.5
NOTICED = 0.4


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


class Replica:
    """A server in a network of its own."""

    def __init__(self, fleet, slot):
        self.fleet, self.slot = fleet, slot
        self.address = fleet.address(slot)
        self.log = (fleet.folder / f"replica-{slot}-{time.monotonic_ns()}.log").open("w+")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", fleet.network(slot), fleet.program, "serve", f"--model-repository={fleet.folder}/models",
             "--http-address=0.0.0.0", "--grpc-address=0.0.0.0", "--exit-timeout-secs=30"],
            stdout=self.log, stderr=self.log,
        )  # fmt: skip

    def wait_until_ready(self):
        """The readiness probe, from the network of the load balancer."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"a replica ended with {self.process.returncode}:\n{self.text()}")
            if self.fleet.probe(self.slot):
                return
            time.sleep(0.05)
        raise AssertionError(f"a replica is not ready after a minute:\n{self.text()}")

    def text(self):
        return Path(self.log.name).read_text()[-2000:]

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()


class Fleet:
    """`with Fleet(program) as fleet:`; replicas come and go by `update`."""

    def __init__(self, program, delay_ms=20, instances=4, queue=None, tries_others=False):
        self.program = program
        self.delay_ms, self.instances = delay_ms, instances
        # How many requests may wait in a replica; any number without it.
        self.queue = queue
        # Whether the load balancer asks another replica where one has answered 503.
        self.tries_others = tries_others
        self.name = f"hal{os.getpid() % 100000}"
        self.random = random.Random(1)

    def network(self, slot):
        return f"{self.name}-{slot}"

    def address(self, slot):
        return f"10.77.0.{10 + slot}"

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        try:
            self.folder = Path(tempfile.mkdtemp(prefix="halcyon-fleet-"))
            self.stack.callback(shutil.rmtree, self.folder)
            model = self.folder / "models" / "slow"
            (model / "1").mkdir(parents=True)
            parameters = f'parameters {{ key: "execute_delay_ms" value {{ string_value: "{self.delay_ms}" }} }}'
            lines = [f"instance_group [ {{ count: {self.instances} }} ]", parameters]
            if self.queue is not None:
                policy = f"default_queue_policy {{ max_queue_size: {self.queue} }}"
                lines.append(f"dynamic_batching {{ preferred_batch_size: [ 1 ] {policy} }}")
            (model / "config.pbtxt").write_text(identity(["FP32"], lines="\n".join(lines), max_batch_size=1))
            self.make_networks()
            self.start_balancer()
            self.replicas, self.leaving = [], []
            self.stack.callback(lambda: [replica.end() for replica in self.replicas + self.leaving])
            return self
        except BaseException:
            self.stack.close()
            raise

    def __exit__(self, kind, error, trace):
        self.stack.close()

    # MARK: Networks

    def make_networks(self):
        balancer = self.network("lb")
        self.add_network(balancer)
        run("ip", "-n", balancer, "link", "add", "br0", "type", "bridge")
        run("ip", "-n", balancer, "addr", "add", f"{BALANCER}/24", "dev", "br0")
        run("ip", "-n", balancer, "link", "set", "br0", "up")
        for slot in range(SLOTS):
            network = self.network(slot)
            self.add_network(network)
            run("ip", "-n", balancer, "link", "add", f"r{slot}", "type", "veth", "peer", "name", "eth0", "netns", network)
            run("ip", "-n", balancer, "link", "set", f"r{slot}", "master", "br0", "up")
            run("ip", "-n", network, "addr", "add", f"{self.address(slot)}/24", "dev", "eth0")
            run("ip", "-n", network, "link", "set", "eth0", "up")

    def add_network(self, name):
        run("ip", "netns", "add", name)
        self.stack.callback(run, "ip", "netns", "del", name)
        run("ip", "-n", name, "link", "set", "lo", "up")

    def in_network(self, name, *command, **options):
        return subprocess.Popen(["ip", "netns", "exec", self.network(name), *command], **options)

    # MARK: The load balancer

    def start_balancer(self):
        servers = "\n".join(
            f"    server r{slot} {self.address(slot)}:{{port}} {{protocol}} check port {HTTP_PORT} inter 200ms fastinter 100ms "
            "fall 2 rise 1 disabled"
            for slot in range(SLOTS)
        )
        check = "    option httpchk GET /v2/health/ready\n    balance roundrobin\n    option redispatch 1\n    retries 3\n"
        others = "    option http-buffer-request\n    retry-on all-retryable-errors 503\n" if self.tries_others else ""
        text = (
            f"global\n    stats socket {self.folder}/haproxy.sock level admin\n"
            "defaults\n    mode http\n    timeout connect 1s\n    timeout client 60s\n    timeout server 60s\n"
            # A check that is late on a busy machine is no answer yet; who is not there or not ready says so at once.
            "    timeout check 30s\n"
            f"frontend http\n    bind {BALANCER}:{HTTP_PORT}\n    default_backend http\n"
            f"frontend grpc\n    bind {BALANCER}:{GRPC_PORT} proto h2\n    default_backend grpc\n"
            f"backend http\n{check}{others}{servers.format(port=HTTP_PORT, protocol='')}\n"
            f"backend grpc\n{check}{servers.format(port=GRPC_PORT, protocol='proto h2 check-proto h1')}\n"
        )
        (self.folder / "haproxy.cfg").write_text(text)
        log = (self.folder / "haproxy.log").open("w")
        haproxy = shutil.which("haproxy", path="/usr/sbin:/usr/bin")
        process = self.in_network("lb", haproxy, "-db", "-f", str(self.folder / "haproxy.cfg"), stdout=log, stderr=log)
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        deadline = time.monotonic() + 10
        while not (self.folder / "haproxy.sock").exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"haproxy did not start:\n{(self.folder / 'haproxy.log').read_text()}")
            time.sleep(0.02)

    def tell(self, command):
        """A command for HAProxy; its answer."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.folder / "haproxy.sock"))
            connection.sendall(f"{command}\n".encode())
            answer = b""
            while part := connection.recv(65536):
                answer += part
            return answer.decode()

    def set_state(self, slot, state):
        for backend in ("http", "grpc"):
            answer = self.tell(f"set server {backend}/r{slot} state {state}").strip()
            if answer:
                raise AssertionError(f"haproxy: {answer}")

    def is_up(self, slot):
        lines = [line.split(",") for line in self.tell("show stat").splitlines() if f",r{slot}," in line]
        return bool(lines) and all(line[17].startswith("UP") for line in lines)

    def probe(self, slot):
        """Whether the readiness probe says yes."""
        code = f"import http.client as h;c=h.HTTPConnection('{self.address(slot)}',{HTTP_PORT},timeout=1);c.request('GET','/v2/health/ready');raise SystemExit(c.getresponse().status!=200)"
        process = self.in_network("lb", "python3", "-c", code, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return process.wait() == 0

    # MARK: What a cluster does

    def add(self):
        """A pod comes: it is among the addresses once it is ready."""
        used = {replica.slot for replica in self.replicas + self.leaving}
        slot = next(slot for slot in range(SLOTS) if slot not in used)
        replica = Replica(self, slot)
        self.replicas.append(replica)
        replica.wait_until_ready()
        self.set_state(slot, "ready")
        deadline = time.monotonic() + 10
        while not self.is_up(slot):
            if time.monotonic() > deadline:
                raise AssertionError(f"haproxy does not see replica {slot}:\n{self.tell('show stat')}")
            time.sleep(0.02)
        return replica

    def remove(self, replica):
        """A pod goes: it is taken from the addresses, which the load balancer learns a little later, while preStop waits;
        then it gets SIGTERM."""
        self.replicas.remove(replica)
        self.leaving.append(replica)
        noticed = self.random.uniform(0, NOTICED)
        time.sleep(noticed)
        self.set_state(replica.slot, "drain")
        time.sleep(PRE_STOP - noticed)
        os.kill(self.child(replica), signal.SIGTERM)

    def child(self, replica):
        """`ip netns exec` becomes the program that it runs."""
        return replica.process.pid

    def gather(self, wait):
        """The replicas that have ended; with `wait` all that are leaving. Each must have ended well."""
        for replica in list(self.leaving):
            if wait:
                replica.process.wait(timeout=60)
            if replica.process.poll() is None:
                continue
            if replica.process.returncode != 0:
                raise AssertionError(f"a replica ended with {replica.process.returncode}:\n{replica.text()}")
            self.set_state(replica.slot, "maint")
            replica.end()
            self.leaving.remove(replica)

    def update(self):
        """A rolling update: each replica is replaced, a new one first (maxSurge 1, maxUnavailable 0)."""
        for old in list(self.replicas):
            while len(self.replicas) + len(self.leaving) >= SLOTS:
                self.gather(wait=False)
                time.sleep(0.05)
            self.add()
            self.remove(old)
            self.gather(wait=False)

    @contextlib.contextmanager
    def helped(self, script, *arguments):
        """A script of this folder at work in the load balancer's network from its first line on; gives a dictionary that has
        afterwards what it said in the end."""
        here = Path(__file__).resolve().parent
        process = self.in_network(
            "lb", sys.executable, str(here / script), *map(str, arguments),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        result = {}
        try:
            process.stdout.readline()
            yield result
            text, _ = process.communicate(timeout=90)
            result.update(json.loads(text))
        finally:
            process.kill()
            process.wait()

    def watched(self):
        """What the gRPC connections between HAProxy and the replicas do, as http2_watch.py tells it."""
        return self.helped("http2_watch.py", "br0", GRPC_PORT)

    def clients(self):
        """Clients of all kinds, as rolling_clients.py tells it."""
        return self.helped("rolling_clients.py", BALANCER, HTTP_PORT, GRPC_PORT)
