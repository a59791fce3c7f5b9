"""Two models measured against each other: in turns, so that whatever else the machine does meets both alike."""

import statistics
import time

ROUNDS = 15
# Slow models get fewer rounds, but never less than this.
LEAST_ROUNDS = 5
SECONDS = 10.0


def alternate(runners, arrays, reporter):
    """The median milliseconds of one run of each, over rounds in which each runs once. Returns (medians, rounds)."""
    for runner in runners:
        runner.run(arrays)
    times = [[] for _ in runners]
    start = time.perf_counter()
    for done in range(ROUNDS):
        for runner, taken in zip(runners, times):
            before = time.perf_counter()
            runner.run(arrays)
            taken.append(time.perf_counter() - before)
        reporter.progress(done + 1, ROUNDS)
        if done + 1 >= LEAST_ROUNDS and time.perf_counter() - start > SECONDS:
            break
    return [1000 * statistics.median(taken) for taken in times], len(times[0])
