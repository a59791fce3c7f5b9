"""Clients of the fleet, in a process and a network of their own: python3 rolling_clients.py HOST HTTP_PORT GRPC_PORT.

They ask until standard input ends, on connections that they keep, and then write what came of it as JSON.
"""

import http.client
import json
import os
import queue
import sys
import threading
import time

import numpy as np
import tritonclient.grpc as triton

MODEL = "slow"
LONGEST = 600


class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.answers, self.failures, self.connections, self.slowest = {}, [], 0, 0.0

    def add(self, kind, start, error=None):
        took = time.monotonic() - start
        with self.lock:
            self.answers[kind] = self.answers.get(kind, 0) + (error is None)
            self.slowest = max(self.slowest, took)
            if error is not None:
                # What goes on failing is not asked for as fast as it can.
                time.sleep(0.05)
                self.failures.append({"kind": kind, "at": start, "after": took, "error": str(error)[:300]})

    def connected(self):
        with self.lock:
            self.connections += 1

    def document(self):
        return {
            "answers": self.answers, "failures": self.failures, "connections": self.connections, "slowest": self.slowest,
        }  # fmt: skip


def http_client(host, port, number, tally, ended):
    connection = None
    value = float(number)
    body = json.dumps({"inputs": [{"name": "INPUT0", "datatype": "FP32", "shape": [1, 1], "data": [value]}]})
    while not ended.is_set():
        if connection is None:
            connection = http.client.HTTPConnection(host, port, timeout=30)
            tally.connected()
        start = time.monotonic()
        try:
            connection.request("POST", f"/v2/models/{MODEL}/infer", body)
            answer = connection.getresponse()
            text = answer.read()
            found = json.loads(text)["outputs"][0]["data"] if answer.status == 200 else None
            if found != [value]:
                raise RuntimeError(f"{answer.status} {text[:200]}")
            tally.add("http", start)
            if answer.will_close:
                connection.close()
                connection = None
        except (OSError, http.client.HTTPException, RuntimeError, ValueError) as error:
            tally.add("http", start, repr(error))
            connection.close()
            connection = None


def tensor(value):
    found = triton.InferInput("INPUT0", [1, 1], "FP32")
    found.set_data_from_numpy(np.array([[value]], dtype=np.float32))
    return [found]


def grpc_client(host, port, number, tally, ended):
    with triton.InferenceServerClient(f"{host}:{port}") as client:
        while not ended.is_set():
            start = time.monotonic()
            try:
                answer = client.infer(MODEL, tensor(number), client_timeout=30)
                if answer.as_numpy("OUTPUT0")[0][0] != number:
                    raise RuntimeError("another's answer")
                tally.add("grpc", start)
            except Exception as error:  # noqa: BLE001 whatever the client's library throws is a failure
                tally.add("grpc", start, error)


def stream_client(host, port, number, tally, ended):
    """Streams of twenty requests, one after the other."""
    with triton.InferenceServerClient(f"{host}:{port}") as client:
        while not ended.is_set():
            answers = queue.SimpleQueue()
            start = time.monotonic()
            try:
                client.start_stream(lambda result, error, answers=answers: answers.put((result, error)))
                for _ in range(20):
                    client.async_stream_infer(MODEL, tensor(number))
                    result, error = answers.get(timeout=30)
                    if error is not None:
                        raise error
                    if result.as_numpy("OUTPUT0")[0][0] != number:
                        raise RuntimeError("another's answer")
                client.stop_stream()
                tally.add("stream", start)
            except Exception as error:  # noqa: BLE001 as above
                tally.add("stream", start, repr(error))
                client.stop_stream(cancel_requests=True)


def main():
    host, http_port, grpc_port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    tally, ended = Tally(), threading.Event()
    kinds = [(http_client, http_port)] * 4 + [(grpc_client, grpc_port)] * 3 + [(stream_client, grpc_port)] * 2
    threads = [
        threading.Thread(target=kind, args=(host, port, number, tally, ended), daemon=True)
        for number, (kind, port) in enumerate(kinds)
    ]
    threading.Timer(LONGEST, ended.set).start()
    for thread in threads:
        thread.start()
    print("asking", flush=True)
    sys.stdin.read()
    ended.set()
    for thread in threads:
        thread.join(timeout=40)
    json.dump(tally.document(), sys.stdout)
    sys.stdout.flush()
    # The timer is not waited for.
    os._exit(0)


if __name__ == "__main__":
    main()
