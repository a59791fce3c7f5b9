"""Whether the numbers by which the autoscaler goes settle: its own rule, on a fleet of queues in made-up time.

Pods are queues with several servers. Once they are what queueing theory says: what waits is followed second by second, and
how long requests wait below full load comes from the usual approximation (Sakasegawa's). And once they are what a server's
recorder has seen: requests come as they came to it, bursts and all, and take as long as they took.
"""

import itertools
import json
import math
import random
import re
import subprocess
import tempfile
import threading
import time
import unittest
from functools import cache
from pathlib import Path

from manifests import DEPLOYMENT, OVERLAYS, of_kind
from server import Server, identity

INSTANCES = 2
SERVICE = 0.02
# A pod that was asked for takes requests after so many seconds.
START = 20
PERIOD = 15
TOLERANCE = 0.1


def scaler():
    return of_kind(OVERLAYS[0], "HorizontalPodAutoscaler")["spec"]


def number(text):
    """Kubernetes' quantities, as far as they stand here."""
    return float(text[:-1]) / 1000 if str(text).endswith("m") else float(text)


@cache
def longest_queue():
    """What the adapter says at most, in seconds."""
    return float(re.search(r"clamp_max\(.*, ([\d.]+)\)'", (DEPLOYMENT / "monitoring" / "adapter.yaml").read_text())[1])


class Fleet:
    """The pods, and the two metrics over the last minute."""

    def __init__(self, count, seed):
        self.ready, self.starting, self.backlog = count, [], 0.0
        self.random = random.Random(seed)
        self.waits, self.shares = [], []

    def begin(self, now):
        """Pods that have started by now take requests."""
        due = [at for at in self.starting if at <= now]
        self.starting = [at for at in self.starting if at > now]
        self.ready += len(due)

    def note(self, wait, share):
        self.waits = [*self.waits, wait][-60:]
        self.shares = [*self.shares, share][-60:]

    def second(self, now, load):
        self.begin(now)
        capacity = self.ready * INSTANCES / SERVICE
        arrivals = max(0.0, self.random.gauss(load, math.sqrt(load)))
        work = self.backlog + arrivals
        done = min(work, capacity)
        self.backlog = work - done
        share = done / capacity
        calm = min(share, 0.99)
        wait = self.backlog / capacity + SERVICE * calm ** (math.sqrt(2 * (INSTANCES + 1)) - 1) / (INSTANCES * (1 - calm)) * calm
        self.note(wait, share)

    def metrics(self):
        return {
            "halcyon_queue_seconds": min(sum(self.waits) / len(self.waits), longest_queue()),
            "halcyon_busy_share": sum(self.shares) / len(self.shares),
        }

    @property
    def count(self):
        return self.ready + len(self.starting)

    def resize(self, now, count):
        if count > self.count:
            self.starting += [now + START] * (count - self.count)
        while count < self.count and self.starting:
            self.starting.pop()
        self.ready = min(self.ready, count)


class Trace:
    """What a recording holds: how long after one request the next came, and how long each took."""

    def __init__(self, recording):
        batches = sorted(recording["batches"], key=lambda batch: batch["requests"][0]["arrival_ns"])
        arrivals = [request["arrival_ns"] / 1e9 for batch in batches for request in batch["requests"]]
        self.gaps = [after - before for before, after in itertools.pairwise(arrivals)]
        self.services = [(batch["compute_end_ns"] - batch["start_ns"]) / 1e9 for batch in batches]
        self.rate = len(self.gaps) / sum(self.gaps)

    @property
    def service(self):
        return sum(self.services) / len(self.services)

    @property
    def unevenness(self):
        """The squared coefficient of variation of the gaps: 1 where requests come by chance, more where they come in bursts."""
        mean = sum(self.gaps) / len(self.gaps)
        return sum((gap - mean) ** 2 for gap in self.gaps) / len(self.gaps) / mean**2


class RecordedFleet(Fleet):
    """Pods to which the requests of a recording come, faster or slower, again and again, each to one by chance."""

    def __init__(self, count, seed, trace):
        super().__init__(count, seed)
        self.trace, self.clock = trace, 0.0
        self.gaps, self.services = itertools.cycle(trace.gaps), itertools.cycle(trace.services)
        # When each instance of each pod has done what it was given; and how long requests waited there, second by second.
        self.pods, self.queues = [], []

    def second(self, now, load):
        self.begin(now)
        del self.pods[self.ready :], self.queues[self.ready :]
        while len(self.pods) < self.ready:
            self.pods.append([float(now)] * INSTANCES)
            self.queues.append([])
        scale = self.trace.rate / load
        waits, busy = [[] for _ in self.pods], 0.0
        while (at := self.clock + next(self.gaps) * scale) < now + 1:
            self.clock = at
            number = self.random.randrange(len(self.pods))
            pod = self.pods[number]
            instance = pod.index(min(pod))
            start, service = max(at, pod[instance]), next(self.services)
            pod[instance] = start + service
            waits[number].append(start - at)
            busy += service
        self.clock = max(self.clock, now)
        self.queues = [[*before, (sum(these), len(these))][-60:] for before, these in zip(self.queues, waits)]
        self.note(max(max(these, default=0.0) for these in waits), min(1.0, busy / (self.ready * INSTANCES)))

    def metrics(self):
        """Each pod's own, as the adapter has it, and their mean, as the autoscaler takes it."""
        means = [sum(wait for wait, _ in queue) / max(sum(count for _, count in queue), 0.001) for queue in self.queues]
        return {**super().metrics(), "halcyon_queue_seconds": sum(min(mean, longest_queue()) for mean in means) / len(means)}


def simulate(load, seconds, names=None, seed=1, trace=None):
    """The number of pods in each second, and the metrics, by the rule of the HorizontalPodAutoscaler."""
    spec = scaler()
    targets = {
        each["pods"]["metric"]["name"]: number(each["pods"]["target"]["averageValue"])
        for each in spec["metrics"]
        if names is None or each["pods"]["metric"]["name"] in names
    }
    down, up = spec["behavior"]["scaleDown"], spec["behavior"]["scaleUp"]
    fleet = RecordedFleet(spec["minReplicas"], seed, trace) if trace else Fleet(spec["minReplicas"], seed)
    counts, waits, asked = [], [], []
    for now in range(seconds):
        fleet.second(now, load(now))
        counts.append(fleet.count)
        waits.append(fleet.waits[-1])
        if now % PERIOD:
            continue
        metrics = fleet.metrics()
        wanted = []
        for name, target in targets.items():
            ratio = metrics[name] / target
            wanted.append(fleet.count if abs(ratio - 1) <= TOLERANCE else math.ceil(fleet.ready * ratio))
        desired = min(max(max(wanted), spec["minReplicas"]), spec["maxReplicas"])
        asked.append((now, desired))
        window = down["stabilizationWindowSeconds"]
        if desired < fleet.count:
            desired = min(fleet.count, max(each for at, each in asked if at > now - window))
        for policy, is_up in ((up["policies"][0], True), (down["policies"][0], False)):
            before = counts[max(0, now - policy["periodSeconds"])]
            part = policy["value"] / 100
            if is_up:
                desired = min(desired, max(fleet.count, math.ceil(before * (1 + part))))
            else:
                desired = max(desired, min(fleet.count, math.floor(before * (1 - part))))
        fleet.resize(now, desired)
    return counts, waits


def changes(counts):
    """How often the number changes, and how often it turns round."""
    steps = [after - before for before, after in zip(counts, counts[1:]) if after != before]
    return len(steps), sum(a * b < 0 for a, b in zip(steps, steps[1:]))


class Autoscaling(unittest.TestCase):
    def test_under_a_steady_load_it_settles(self):
        for load in (50, 150, 400, 900, 1500):
            for seed in range(3):
                with self.subTest(load=load, seed=seed):
                    counts, waits = simulate(lambda _, load=load: load, 5400, seed=seed)
                    self.assertLessEqual(changes(counts[1800:])[0], 1, counts[1800::60])
                    self.assertLess(max(waits[900:]), 0.1)

    def test_a_step_is_met_in_minutes_and_not_by_far_too_much(self):
        counts, waits = simulate(lambda now: 100 if now < 900 else 1000, 5400)
        needed = math.ceil(1000 * SERVICE / INSTANCES / 0.6)
        self.assertLess(max(waits[900 + 240 :]), 0.1)
        print(f"\n  from 100/s to 1000/s: from {counts[890]} pods to {max(counts)}, {counts[-1]} in the end; {needed} are needed")
        self.assertLessEqual(max(counts), 1.5 * needed)
        self.assertLessEqual(abs(counts[-1] - needed), 2, (counts[-1], needed))
        self.assertLessEqual(changes(counts)[1], 1, counts[::60])

    def test_when_the_load_goes_pods_go_slowly_and_once(self):
        counts, waits = simulate(lambda now: 1000 if now < 1800 else 200, 7200)
        self.assertLess(counts[-1], 7)
        self.assertLessEqual(changes(counts)[1], 1, counts[::60])
        self.assertLess(max(waits[1800:]), 0.1)

    def test_waves_are_followed_without_a_swing_of_its_own(self):
        def wave(now):
            return 600 + 400 * math.sin(2 * math.pi * now / 3600)

        counts, waits = simulate(wave, 4 * 3600)
        late = sum(wait > 0.1 for wait in waits[900:])
        turns = changes(counts)[1]
        print(f"\n  four waves of an hour: {turns} turns, {late} of {len(waits)} s with more than 100 ms in the queue")
        self.assertLessEqual(turns, 9, counts[::120])
        self.assertLess(late, 0.01 * len(waits))

    def test_queue_time_alone_would_swing(self):
        counts, _ = simulate(lambda _: 900, 4 * 3600, names={"halcyon_queue_seconds"})
        both, _ = simulate(lambda _: 900, 4 * 3600)
        print(f"\n  under a steady load for four hours: {changes(counts)} changes and turns by queue time alone, {changes(both)} by both")
        self.assertGreater(changes(counts)[1], 4)
        self.assertLessEqual(changes(both)[1], 1)


class Recorded(unittest.TestCase):
    """The same rule over what a real server's recorder has kept of uneven load."""

    program = ""

    @classmethod
    def setUpClass(cls):
        lines = f'instance_group [ {{ count: {INSTANCES} }} ]\nparameters {{ key: "execute_delay_ms" value {{ string_value: "20" }} }}'
        with Server(cls.program, {"slow": identity(["FP32"], lines=lines)}, "--recorded-batches=2000") as server:
            cls.ask(server)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "recording.json"
                command = [cls.program, "explain", "slow", "--url", f"http://127.0.0.1:{server.http_port}", "--save", path]
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                cls.trace = Trace(json.loads(path.read_text()))

    @staticmethod
    def ask(server):
        """Requests in bursts with pauses between, on connections of their own."""
        chance = random.Random(5)
        tensor = {"name": "INPUT0", "datatype": "FP32", "shape": [1, 1], "data": [1]}
        body = json.dumps({"inputs": [tensor]})
        threads = []
        for _ in range(60):
            for _ in range(chance.randint(1, 8)):
                threads.append(threading.Thread(target=server.request, args=("POST", "/v2/models/slow/infer", body)))
                threads[-1].start()
            time.sleep(chance.expovariate(1 / 0.05))
        for thread in threads:
            thread.join()

    def test_what_was_recorded_is_uneven(self):
        print(
            f"\n  {len(self.trace.gaps)} gaps, {self.trace.rate:.0f} requests/s, squared variation {self.trace.unevenness:.1f}; "
            f"{self.trace.service * 1000:.1f} ms each"
        )
        self.assertGreater(len(self.trace.gaps), 100)
        self.assertGreater(self.trace.unevenness, 1)

    def load(self, pods):
        """Requests a second that keep so many pods as busy as the autoscaler wants them, however long a request took here."""
        return pods * INSTANCES * 0.6 / self.trace.service

    def test_under_a_steady_load_of_bursts_it_settles(self):
        seen = []
        for load in (self.load(1.8), self.load(5.5)):
            counts, waits = simulate(lambda _, load=load: load, 3600, trace=self.trace)
            seen.append(f"{load:.0f}/s: {counts[-1]} pods, {changes(counts[1800:])[0]} changes in the second half hour, "
                        f"{max(waits[900:]) * 1000:.0f} ms the longest in a queue after the first 15 minutes")  # fmt: skip
            self.assertLessEqual(changes(counts[1800:])[0], 1, counts[::60])
        print("".join(f"\n  {line}" for line in seen))

    def test_a_step_is_met_and_not_by_far_too_much(self):
        before, after, needed = self.load(1), self.load(5.5), 6
        counts, _ = simulate(lambda now: before if now < 900 else after, 3600, trace=self.trace)
        late = counts[900:].index(max(counts[900:]))
        print(f"\n  from {before:.0f}/s to {after:.0f}/s: from {counts[890]} pods to {max(counts)} within {late} s, {counts[-1]} in the end; {needed} are needed")
        self.assertLessEqual(max(counts), 2 * needed)
        self.assertLessEqual(changes(counts)[1], 1, counts[::60])
        self.assertLessEqual(abs(counts[-1] - needed), 2)
