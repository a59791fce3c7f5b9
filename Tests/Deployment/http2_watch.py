"""What HTTP/2 connections do, seen from the wire: python3 http2_watch.py INTERFACE PORT.

Reads the packets to and from the port, without taking part, until standard input ends, and then writes as JSON what
each connection did, in order.
"""

import json
import socket
import struct
import sys
import threading

DATA, HEADERS, RST_STREAM, PING, GOAWAY = 0, 1, 3, 6, 7
END_STREAM, ACK = 1, 1
HIGHEST = 2**31 - 1
FIN, SYN, RST = 1, 2, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# Of linux/if_packet.h and asm-generic/socket.h.
SOL_PACKET, PACKET_STATISTICS, SO_RCVBUFFORCE, ALL, IPV4 = 263, 6, 33, 3, 0x0800


class Half:
    """One direction of a TCP connection: its bytes in order, as HTTP/2 frames."""

    def __init__(self, sequence, preface, on_frame):
        self.next, self.preface, self.on_frame = sequence, preface, on_frame
        self.later, self.buffer, self.has_ended = {}, b"", False

    def take(self, sequence, data, is_end):
        self.later[sequence] = max((data, is_end), self.later.get(sequence, (b"", False)), key=lambda part: len(part[0]))
        for start in sorted(self.later, key=self.ahead):
            behind = -self.ahead(start)
            if behind < 0:
                break
            data, is_end = self.later.pop(start)
            if behind < len(data):
                self.buffer += data[behind:]
                self.next = (self.next + len(data) - behind) % 2**32
            self.has_ended |= is_end
        self.frames()

    def ahead(self, sequence):
        """By how many bytes this is ahead of what has come; numbers begin again after 2^32."""
        return (sequence - self.next + 2**31) % 2**32 - 2**31

    def frames(self):
        if self.preface and len(self.buffer) >= len(self.preface):
            self.buffer, self.preface = self.buffer.removeprefix(self.preface), b""
        while not self.preface and len(self.buffer) >= 9:
            end = 9 + int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < end:
                return
            data, self.buffer = self.buffer[:end], self.buffer[end:]
            self.on_frame(data[3], data[4], int.from_bytes(data[5:9], "big"), data[9:])


class Connection:
    """Its steps towards its end, and the streams that are not answered yet."""

    def __init__(self, server):
        self.server, self.steps, self.pings = server, [], set()
        self.opened, self.done, self.last = 0, 0, HIGHEST
        self.waiting, self.halves = set(), {}

    def from_client(self, kind, flags, stream, payload):
        if kind == HEADERS and stream not in self.waiting:
            self.opened += 1
            self.waiting.add(stream)
        elif kind == RST_STREAM:
            self.waiting.discard(stream)
        elif kind == PING and flags & ACK and payload in self.pings:
            self.steps.append("ping answered")

    def from_server(self, kind, flags, stream, payload):
        if kind == GOAWAY:
            self.last = int.from_bytes(payload[:4], "big")
            self.steps.append("goaway" if self.last == HIGHEST else "goaway with the last")
        elif kind == PING and not flags & ACK:
            self.pings.add(payload)
            self.steps.append("ping")
        elif kind in (DATA, HEADERS) and flags & END_STREAM and stream in self.waiting:
            self.waiting.discard(stream)
            self.done += 1
        elif kind == RST_STREAM:
            self.steps.append(f"stream {stream} was reset")

    def document(self):
        return {
            "server": self.server, "steps": self.steps, "opened": self.opened, "answered": self.done,
            "cut": sorted(stream for stream in self.waiting if stream <= self.last),
        }  # fmt: skip


class Watch:
    def __init__(self, port):
        self.port, self.open, self.all = port, {}, []

    def packet(self, data):
        """From the header of IP on."""
        header = (data[0] & 15) * 4
        if data[0] >> 4 != 4 or data[9] != socket.IPPROTO_TCP or len(data) < header + 20:
            return
        length = int.from_bytes(data[2:4], "big") or len(data)
        segment = data[header:length]
        source, target, sequence = struct.unpack(">HHI", segment[:8])
        flags, payload = segment[13], segment[(segment[12] >> 4) * 4 :]
        hosts = [socket.inet_ntoa(data[at : at + 4]) for at in (12, 16)]
        if target == self.port:
            self.segment((hosts[0], source, hosts[1]), "client", sequence, flags, payload)
        elif source == self.port:
            self.segment((hosts[1], target, hosts[0]), "server", sequence, flags, payload)

    def segment(self, key, side, sequence, flags, payload):
        if flags & SYN and side == "client":
            self.open[key] = Connection(key[2])
            self.all.append(self.open[key])
        connection = self.open.get(key)
        if connection is None:
            return
        if flags & SYN:
            of_client = side == "client"
            on_frame = connection.from_client if of_client else connection.from_server
            connection.halves[side] = Half((sequence + 1) % 2**32, PREFACE if of_client else b"", on_frame)
        elif flags & RST:
            connection.steps.append(f"{side} reset")
            del self.open[key]
        elif side in connection.halves and (payload or flags & FIN):
            half = connection.halves[side]
            had_ended = half.has_ended
            half.take(sequence, payload, bool(flags & FIN))
            if half.has_ended and not had_ended:
                connection.steps.append(f"{side} closed")


def main():
    interface, port = sys.argv[1], int(sys.argv[2])
    watch, ended = Watch(port), threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    try:
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ALL))
    except PermissionError as error:
        print(f"not watching\n{json.dumps({'missed': f'all, as {error.strerror}:', 'connections': []})}", flush=True)
        return
    with wire:
        wire.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 27)
        wire.bind((interface, ALL))
        wire.settimeout(0.2)
        print("watching", flush=True)
        while not ended.is_set():
            try:
                data, (_, protocol, *_) = wire.recvfrom(1 << 17)
                if protocol == IPV4:
                    watch.packet(data)
            except TimeoutError:
                continue
        _, missed = struct.unpack("II", wire.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    json.dump({"missed": missed, "connections": [each.document() for each in watch.all]}, sys.stdout)


if __name__ == "__main__":
    main()
