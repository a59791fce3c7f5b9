"""Clients who ask for more than a fleet can do: python3 overload_clients.py HOST HTTP_PORT HTTP_CLIENTS GRPC_PORT GRPC_CLIENTS WAIT.

Each asks again as soon as it has its answer. One that is refused waits as long as the answer's Retry-After says, or, where WAIT is
not 0, that many seconds. Clients of gRPC ask anew by the retry policy of the library. They go on until standard input ends, and
then write what came of it as JSON.
"""

import http.client
import json
import os
import sys
import threading
import time

import numpy as np
import tritonclient.grpc as triton

BODY = json.dumps({"inputs": [{"name": "INPUT0", "datatype": "FP32", "shape": [1, 1], "data": [1]}]})
POLICY = {
    "methodConfig": [{
        "name": [{}],
        "retryPolicy": {
            "maxAttempts": 5, "initialBackoff": "0.02s", "maxBackoff": "1s", "backoffMultiplier": 2,
            "retryableStatusCodes": ["UNAVAILABLE"],
        },
    }]
}  # fmt: skip


class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.answered, self.refused, self.others, self.without_hint = [], [], [], 0
        self.clients = set()

    def answer(self, kind, number, seconds):
        with self.lock:
            self.answered.append((kind, seconds))
            self.clients.add((kind, number))

    def document(self, seconds):
        def part(values, share):
            return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else None

        kinds = {kind: [took for of, took in self.answered if of == kind] for kind in ("http", "grpc")}
        return {
            "seconds": seconds, "answered": {kind: len(values) for kind, values in kinds.items()},
            "p50": {kind: part(values, 0.5) for kind, values in kinds.items()},
            "p99": {kind: part(values, 0.99) for kind, values in kinds.items()},
            "refused": len(self.refused), "refused_p50": part(self.refused, 0.5), "refused_p99": part(self.refused, 0.99),
            "without_hint": self.without_hint, "others": self.others, "clients": len(self.clients),
        }  # fmt: skip


def http_client(host, port, number, tally, ended, wait):
    connection = http.client.HTTPConnection(host, port, timeout=60)
    while not ended.is_set():
        start = time.monotonic()
        try:
            connection.request("POST", "/v2/models/slow/infer", BODY)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            tally.others.append(repr(error))
            connection.close()
            ended.wait(0.1)
            continue
        took = time.monotonic() - start
        if answer.status == 200:
            tally.answer("http", number, took)
        elif answer.status == 503:
            hint = answer.getheader("Retry-After")
            tally.refused.append(took)
            tally.without_hint += hint is None
            ended.wait(wait or float(hint or 1))
        else:
            tally.others.append(f"{answer.status} {text[:200]}")


def grpc_client(host, port, number, tally, ended, _):
    tensor = triton.InferInput("INPUT0", [1, 1], "FP32")
    tensor.set_data_from_numpy(np.array([[1]], dtype=np.float32))
    options = [("grpc.service_config", json.dumps(POLICY)), ("grpc.use_local_subchannel_pool", 1)]
    with triton.InferenceServerClient(f"{host}:{port}", channel_args=options) as client:
        while not ended.is_set():
            start = time.monotonic()
            try:
                client.infer("slow", [tensor], client_timeout=60)
                tally.answer("grpc", number, time.monotonic() - start)
            except Exception as error:  # noqa: BLE001 whatever the client's library throws is a failure
                tally.others.append(repr(error)[:300])
                ended.wait(0.1)


def main():
    host, http_port, http_count, grpc_port, grpc_count = sys.argv[1], *map(int, sys.argv[2:6])
    wait = float(sys.argv[6])
    tally, ended = Tally(), threading.Event()
    kinds = [(http_client, http_port)] * http_count + [(grpc_client, grpc_port)] * grpc_count
    threads = [
        threading.Thread(target=kind, args=(host, port, number, tally, ended, wait), daemon=True)
        for number, (kind, port) in enumerate(kinds)
    ]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    print("asking", flush=True)
    sys.stdin.read()
    seconds = time.monotonic() - start
    ended.set()
    for thread in threads:
        thread.join(timeout=60)
    json.dump(tally.document(seconds), sys.stdout)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
