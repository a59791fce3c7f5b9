"""Connections that break, stores that are busy, servers that are killed."""

import hashlib
import random
import signal
import time

from lifecycle import infer
from stores import S3Test, Trouble, until


class Troubles(S3Test):
    def setUp(self):
        super().setUp()
        self.put_model("one")
        # More than what is written at once.
        self.large = random.Random(1).randbytes(5_000_000)
        self.put("models/one/1/large.bin", self.large)
        self.location = f"s3://{self.bucket}/models"

    def check(self):
        self.assertEqual(hashlib.sha256(self.copies()["one/1/large.bin"].read_bytes()).digest(), hashlib.sha256(self.large).digest())

    def test_connections_that_are_cut_are_gone_on_with(self):
        cuts = [1_500_000, 1_100_000, 700_000]

        def plan(path):
            return ("cut", cuts.pop()) if "large" in path and cuts else None

        with Trouble(self.port, plan) as trouble, self.server(self.location, **self.access(trouble.url)) as server:
            self.assertEqual(infer(server, "one")[0], 200)
            self.check()
            # What had come when a connection was cut, is not asked for again; what was still on its way is.
            starts = [int(wanted.removeprefix("bytes=")[:-1]) for wanted in trouble.ranges()]
            self.assertEqual(len(starts), 3)
            self.assertEqual(starts, sorted(starts))
            self.assertGreater(starts[0], 0)

    def test_a_busy_store_is_asked_again(self):
        busy = {"list-type": 2, "config": 2, "large": 1}

        def plan(path):
            for word in busy:
                if word in path and busy[word]:
                    busy[word] -= 1
                    return 503
            return None

        with Trouble(self.port, plan) as trouble, self.server(self.location, **self.access(trouble.url)) as server:
            self.assertEqual(infer(server, "one")[0], 200)
            self.check()
            self.assertEqual(set(busy.values()), {0})

    def test_slow_bytes_are_waited_for(self):
        with Trouble(self.port, lambda path: ("slow", 0.02) if "large" in path else None) as trouble:
            with self.server(self.location, **self.access(trouble.url)):
                self.check()

    def test_a_store_that_stays_busy_is_one_sentence(self):
        with Trouble(self.port, lambda _: 503) as trouble:
            text = self.refusal(self.location, **self.access(trouble.url))
        self.assertIn("the store is busy or out of order, after several tries: Reduce your request rate. (503)", text)

    def test_a_server_that_was_killed_goes_on_at_its_next_start(self):
        with Trouble(self.port, lambda path: ("slow", 0.1) if "large" in path else None) as trouble:
            watched = self.server(self.location, **self.access(trouble.url))
            watched.server.start()
            try:
                until(lambda: [path for path in self.cache.rglob("*.partial/*") if path.stat().st_size >= 1_000_000], "a part has come")
                # Nothing is there of a model of which not all is.
                self.assertEqual(self.copies(), {})
                watched.server.process.send_signal(signal.SIGKILL)
            finally:
                watched.server.end()
            trouble.plan = lambda _: None
            with self.server(self.location, **self.access(trouble.url)):
                self.check()
            self.assertEqual([int(wanted[6:-1]) > 1_000_000 for wanted in trouble.ranges()], [True])
            self.assertEqual(list(self.cache.rglob("*.partial")), [])

    def test_a_server_that_is_stopped_in_the_middle_goes_at_once(self):
        with Trouble(self.port, lambda path: ("slow", 0.5) if "large" in path else None) as trouble:
            watched = self.server(self.location, **self.access(trouble.url))
            watched.server.start()
            until(lambda: list(self.cache.rglob("*.partial/*")), "copying has begun")
            # It is live and not ready meanwhile.
            self.assertEqual(watched.server.get("/v2/health/live")[0], 200)
            self.assertEqual(watched.server.get("/v2/health/ready")[0], 400)
            watched.server.process.send_signal(signal.SIGTERM)
            start = time.monotonic()
            watched.server.process.wait(timeout=60)
            self.assertLess(time.monotonic() - start, 20)
            self.assertEqual(watched.server.end()[0], 0)

    def test_a_store_that_goes_takes_no_model_away(self):
        answers = [None]
        with Trouble(self.port, lambda _: answers[0]) as trouble:
            flags = ["--model-control-mode=poll", "--repository-poll-secs=1"]
            with self.server(self.location, *flags, **self.access(trouble.url)) as server:
                answers[0] = 503
                until(lambda: "nothing is loaded or unloaded" in server.text(), "the store has gone", server)
                self.assertEqual(infer(server, "one")[0], 200)
                self.assertEqual(server.get("/v2/health/ready")[0], 200)
                answers[0] = None
                self.put_model("two")
                until(lambda: infer(server, "two")[0] == 200, "the store is back", server)
