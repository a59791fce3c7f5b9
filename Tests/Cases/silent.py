"""How many connections that say nothing a server keeps: silent.py PORT SECONDS. What it says itself does not matter."""

import socket
import sys
import time

connections = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(200)]
time.sleep(float(sys.argv[2]))
kept = 0
for connection in connections:
    connection.setblocking(False)
    try:
        while connection.recv(4096):
            pass
    except BlockingIOError:
        kept += 1
    except OSError:
        pass
print(f"kept: {kept}")
