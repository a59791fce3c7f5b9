"""Whether the numbers by which the autoscaler goes settle: its own rule, on a fleet of queues in made-up time.

Pods are queues with several servers. What waits is followed second by second; how long requests wait below full load
comes from the usual approximation for such queues (Sakasegawa's).
"""

import math
import random
import unittest

from manifests import OVERLAYS, of_kind

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


class Fleet:
    """The pods, and the two metrics over the last minute."""

    def __init__(self, count, seed):
        self.ready, self.starting, self.backlog = count, [], 0.0
        self.random = random.Random(seed)
        self.waits, self.shares = [], []

    def second(self, now, load):
        due = [at for at in self.starting if at <= now]
        self.starting = [at for at in self.starting if at > now]
        self.ready += len(due)
        capacity = self.ready * INSTANCES / SERVICE
        arrivals = max(0.0, self.random.gauss(load, math.sqrt(load)))
        work = self.backlog + arrivals
        done = min(work, capacity)
        self.backlog = work - done
        share = done / capacity
        calm = min(share, 0.99)
        wait = self.backlog / capacity + SERVICE * calm ** (math.sqrt(2 * (INSTANCES + 1)) - 1) / (INSTANCES * (1 - calm)) * calm
        self.waits = [*self.waits, wait][-60:]
        self.shares = [*self.shares, share][-60:]

    def metrics(self):
        return {
            "halcyon_queue_seconds": sum(self.waits) / len(self.waits),
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


def simulate(load, seconds, names=None, seed=1):
    """The number of pods in each second, and the metrics, by the rule of the HorizontalPodAutoscaler."""
    spec = scaler()
    targets = {
        each["pods"]["metric"]["name"]: number(each["pods"]["target"]["averageValue"])
        for each in spec["metrics"]
        if names is None or each["pods"]["metric"]["name"] in names
    }
    down, up = spec["behavior"]["scaleDown"], spec["behavior"]["scaleUp"]
    fleet = Fleet(spec["minReplicas"], seed)
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
        self.assertLessEqual(max(counts), 20)
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
