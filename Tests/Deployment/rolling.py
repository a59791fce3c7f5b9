"""Rolling updates lose nothing, and a replica that is killed takes with it only what it was executing."""

import time
import unittest

from fleet import Fleet
from tools import needs, needs_networks


@needs("haproxy", "haproxy")
@needs("ip", "iproute2")
@needs_networks
class RollingUpdates(unittest.TestCase):
    program = ""
    is_long = False

    def test_no_request_fails_while_replicas_are_replaced(self):
        rounds = 20 if self.is_long else 2
        start = time.monotonic()
        with Fleet(self.program) as fleet, fleet.watched() as wire:
            for _ in range(3):
                fleet.add()
            with fleet.clients() as result:
                for _ in range(rounds):
                    fleet.update()
                fleet.gather(wait=True)
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
        self.check_wire(wire, 3 * rounds)

    def check_wire(self, wire, replaced):
        """The load balancer's connections to the replicas leave in two steps, and no stream of theirs is cut."""
        if wire["missed"]:
            print(f"\n{wire['missed']} packets were not seen on the wire: what the connections did there is not known")
            return
        left = [each for each in wire["connections"] if "goaway" in each["steps"]]
        whole = [each for each in left if "goaway with the last" in each["steps"]]
        print(
            f"\n{len(left)} HTTP/2 connections of {replaced} replicas were told to go: {len(whole)} in both steps, "
            f"{len(left) - len(whole)} left after the first; {sum(each['answered'] for each in left)} streams answered on them"
        )
        for each in left:
            self.assertEqual(each["cut"], [], each)
            # The client may leave whenever it has all its answers; its kernel says so one way or the other.
            said = [step for step in each["steps"] if step not in ("client closed", "client reset", "server closed")]
            # The last id is said once the client has answered, and so has heard of the first.
            self.assertEqual(said, ["goaway", "ping", "ping answered", "goaway with the last"][: len(said)], each)
        self.assertGreater(len(left), 0)

    def test_a_replica_that_is_killed_takes_only_what_it_was_executing(self):
        with Fleet(self.program, delay_ms=200) as fleet:
            replicas = [fleet.add() for _ in range(3)]
            with fleet.clients() as result:
                time.sleep(2)
                killed = time.monotonic()
                victim = replicas[0]
                victim.process.kill()
                time.sleep(4)
                fleet.replicas.remove(victim)
                victim.end()
        failures = result["failures"]
        told = [failure["at"] + failure["after"] - killed for failure in failures]
        print(
            f"\nkilled one of three: {result['answers']} answers, {len(failures)} failures, told "
            f"{', '.join(f'{seconds * 1000:.0f}' for seconds in sorted(told)) or 'nothing'} ms after it died"
        )
        for failure, seconds in zip(failures, told):
            # It was under way when the replica died, and its client knew by the connection's end: no time ran out, of which
            # the shortest is 30 s.
            self.assertLess(failure["at"], killed + 1, failure)
            self.assertLess(seconds, 15, failure)
        # Nine clients have one request under way each, and about a third of them is the replica's.
        self.assertLess(len(failures), 9)
