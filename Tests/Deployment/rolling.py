"""Rolling updates lose nothing, and a replica that is killed takes with it only what it was executing."""

import os
import time
import unittest

from fleet import Fleet
from tools import needs


def can_make_networks():
    return os.geteuid() == 0


@needs("haproxy", "haproxy")
@needs("ip", "iproute2")
@unittest.skipUnless(can_make_networks(), "networks of one's own take root")
class RollingUpdates(unittest.TestCase):
    program = ""
    is_long = False

    def test_no_request_fails_while_replicas_are_replaced(self):
        rounds = 20 if self.is_long else 2
        start = time.monotonic()
        with Fleet(self.program) as fleet:
            for _ in range(3):
                fleet.add()
            with fleet.clients():
                for _ in range(rounds):
                    fleet.update()
                fleet.gather(wait=True)
        result = fleet.result
        answers = sum(result["answers"].values())
        print(
            f"\n{rounds} rounds, {3 * rounds} replicas replaced in {time.monotonic() - start:.0f} s: {result['answers']} answers, "
            f"{len(result['failures'])} failures, {result['connections']} connections of 4 HTTP clients, the slowest request "
            f"took {result['slowest']:.2f} s"
        )
        self.assertEqual(result["failures"], [])
        self.assertGreater(answers, 100 * rounds)
        self.assertEqual(set(result["answers"]), {"http", "grpc", "stream"})
        # The clients' own connections end at the load balancer, which keeps them.
        self.assertEqual(result["connections"], 4)

    def test_a_replica_that_is_killed_takes_only_what_it_was_executing(self):
        with Fleet(self.program, delay_ms=200) as fleet:
            replicas = [fleet.add() for _ in range(3)]
            with fleet.clients():
                time.sleep(2)
                killed = time.monotonic()
                victim = replicas[0]
                victim.process.kill()
                time.sleep(4)
                fleet.replicas.remove(victim)
                victim.end()
        failures = fleet.result["failures"]
        print(f"\nkilled one of three: {fleet.result['answers']} answers, {len(failures)} failures")
        for failure in failures:
            # It was under way when the replica died, and its client knew at once.
            self.assertLess(failure["at"], killed + 0.1, failure)
            self.assertLess(failure["at"] + failure["after"], killed + 1, failure)
        # Nine clients have one request under way each, and a third of them is the replica's.
        self.assertLessEqual(len(failures), 6)
