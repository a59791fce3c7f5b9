"""Four clients who want nothing but their answers: python3 innocents.py HTTP_PORT GRPC_PORT

A process of their own, so that an attack's own work in Python delays none of them. Each line on standard input ends a round; the
round's result goes out as a line of JSON: {"count": answers, "p50": s, "p99": s, "worst": s, "wrong": [what was not right]}.
"""

import json
import sys
import threading
import time

import numpy as np
import tritonclient.grpc
import tritonclient.http

MODEL = "innocent"
# Between two calls of a client: the server shall be asked all the time, and not be loaded.
PAUSE = 0.005


class Round:
    def __init__(self):
        self.lock = threading.Lock()
        self.begin()

    def begin(self):
        self.times, self.wrong = [], []

    def add(self, seconds, problem):
        with self.lock:
            self.times.append(seconds)
            if problem:
                self.wrong.append(problem)

    def end(self):
        with self.lock:
            times, wrong = sorted(self.times), self.wrong
            self.begin()
        at = lambda share: times[min(len(times) - 1, int(share * len(times)))] if times else 0.0  # noqa: E731
        return {
            "count": len(times), "p50": at(0.5), "p99": at(0.99), "worst": at(1.0), "wrong": wrong[:5],
        }  # fmt: skip


def infer(library, port, seed):
    """A call that checks its answer, on a connection that stays."""
    client = library.InferenceServerClient(f"127.0.0.1:{port}")
    counter = [seed]

    def call():
        counter[0] += 1
        value = np.full((1, 16), counter[0] % 1000, np.float32)
        tensor = library.InferInput("INPUT0", value.shape, "FP32")
        if library is tritonclient.http:
            tensor.set_data_from_numpy(value, binary_data=counter[0] % 2 == 0)
        else:
            tensor.set_data_from_numpy(value)
        answer = client.infer(MODEL, [tensor]).as_numpy("OUTPUT0")
        if not np.array_equal(answer, value):
            return f"{value[0][0]} came back as {answer}"

    return call


def health(port):
    client = tritonclient.http.InferenceServerClient(f"127.0.0.1:{port}")
    return lambda: None if client.is_server_live() else "not live"


def client(call, round_):
    while True:
        begun = time.monotonic()
        try:
            problem = call()
        except Exception as error:  # noqa: BLE001 (whatever it is, the client did nothing to deserve it)
            problem = f"{type(error).__name__}: {error}"
        round_.add(time.monotonic() - begun, problem)
        time.sleep(PAUSE if not problem else 0.1)


def main(http_port, grpc_port):
    round_ = Round()
    calls = [
        infer(tritonclient.http, http_port, 0), infer(tritonclient.http, http_port, 100),
        infer(tritonclient.grpc, grpc_port, 200), health(http_port),
    ]  # fmt: skip
    for call in calls:
        call()
        threading.Thread(target=client, args=(call, round_), daemon=True).start()
    for _ in sys.stdin:
        print(json.dumps(round_.end()), flush=True)


main(*sys.argv[1:])
