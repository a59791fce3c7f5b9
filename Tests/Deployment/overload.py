"""What a fleet does that is asked for more than it can do: the others take over, and what nobody can take is refused at once."""

import time
import unittest

from fleet import BALANCER, GRPC_PORT, HTTP_PORT, Fleet
from tools import needs, needs_networks

DELAY, INSTANCES, QUEUE, REPLICAS = 0.1, 2, 4, 3
CAPACITY = INSTANCES / DELAY


def rates(result):
    return ", ".join(f"{kind} {count / result['seconds']:.1f}/s" for kind, count in result["answered"].items() if count)


def ms(seconds):
    return "-" if seconds is None else f"{seconds * 1000:.0f} ms"


@needs("haproxy", "haproxy")
@needs("ip", "iproute2")
@needs_networks
class Overload(unittest.TestCase):
    takes_minutes = True
    program = ""

    def fleet(self, **options):
        fleet = self.enterContext(Fleet(self.program, delay_ms=int(DELAY * 1000), instances=INSTANCES, queue=QUEUE, **options))
        for _ in range(REPLICAS):
            fleet.add()
        return fleet

    def asking(self, fleet, http, grpc=0, host=BALANCER, wait=0):
        return fleet.helped("overload_clients.py", host, HTTP_PORT, http, GRPC_PORT, grpc, wait)

    def test_the_others_take_over_from_one_that_has_too_much(self):
        fleet = self.fleet(tries_others=True)
        first = fleet.replicas[0]
        with self.asking(fleet, 3, 3) as before:
            time.sleep(5)
        # Three times as many as it executes and lets wait, who ask it alone and go on whatever it says.
        with self.asking(fleet, 3 * (INSTANCES + QUEUE), host=first.address, wait=0.05) as flood:
            time.sleep(1)
            with self.asking(fleet, 3, 3) as during:
                time.sleep(5)
                self.assertTrue(fleet.probe(first.slot), "it works as hard as it can, and is ready")
        print(
            f"\n  six clients of a fleet of three: {rates(before)}; while one of the three has too much of others' (it answers "
            f"{rates(flood)} and refuses {flood['refused'] / flood['seconds']:.0f}/s): {rates(during)}, the slowest in a hundred "
            f"{ms(during['p99']['http'])} and {ms(during['p99']['grpc'])}, {during['refused'] + len(during['others'])} failures"
        )
        self.assertGreater(flood["refused"], 0)
        self.assertEqual(flood["without_hint"], 0)
        self.assertEqual((during["refused"], during["others"]), (0, []))
        self.assertEqual(during["clients"], 6)

    def test_what_nobody_can_take_is_refused_at_once_and_taken_later(self):
        fleet = self.fleet()
        clients = 5 * REPLICAS * (INSTANCES + QUEUE)
        with self.asking(fleet, clients) as result:
            time.sleep(15)
            ready = [fleet.probe(replica.slot) for replica in fleet.replicas]
        rate = result["answered"]["http"] / result["seconds"]
        print(
            f"\n  {clients} clients of a fleet that does {REPLICAS * CAPACITY:.0f}/s: {rate:.1f}/s answered, {ms(result['p50']['http'])} "
            f"in the middle and {ms(result['p99']['http'])} the slowest in a hundred; {result['refused'] / result['seconds']:.1f}/s "
            f"refused after {ms(result['refused_p50'])} and {ms(result['refused_p99'])}; {result['clients']} clients got answers"
        )
        self.assertEqual((result["without_hint"], result["others"]), (0, []))
        self.assertGreater(result["refused"], 0)
        self.assertEqual(ready, [True] * REPLICAS, "a fleet with too much to do is ready, or nobody would do it")
        # Those who wait as long as they are told come to their turn, also after those who were there first, and the fleet is as
        # busy as it can be.
        self.assertGreater(result["clients"], 2 * REPLICAS * (INSTANCES + QUEUE))
        self.assertGreater(rate, REPLICAS * CAPACITY * 0.6)
