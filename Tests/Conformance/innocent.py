"""Asks a server small questions until its standard input ends, and prints the longest times: python3 innocent.py PORT

A process of its own, so that what tests do does not hold it up. It prints, in seconds, the 99th percentile and the maximum.
"""

import json
import select
import socket
import sys
import time

TENSOR = {"name": "INPUT0", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]}


def main(port):
    body = json.dumps({"inputs": [TENSOR]}).encode()
    head = f"POST /v2/models/fp32/infer HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    # Some are on every event loop.
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
    times = []
    while not select.select([sys.stdin], [], [], 0.002)[0]:
        for connection in connections:
            start = time.monotonic()
            connection.sendall(head + body)
            answer = connection.recv(65536)
            times.append(time.monotonic() - start)
            if b"200 OK" not in answer:
                sys.exit(f"not answered well: {answer}")
    times.sort()
    print(times[int(len(times) * 0.99)], times[-1])


main(int(sys.argv[1]))
