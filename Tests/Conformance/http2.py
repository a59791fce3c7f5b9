"""HTTP/2 by hand: frames as bytes, so that a client can do what no library does."""

import socket
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def headers(stream, fields, flags=END_HEADERS):
    """A HEADERS frame whose fields are written out, in no table."""
    block = b""
    for name, value in fields:
        block += b"\0"
        for text in (name.encode(), value.encode()):
            # A length of 127 and more goes on in bytes of seven bits (RFC 7541, section 5.1).
            rest = len(text) - 127
            block += bytes([min(len(text), 127)])
            while rest >= 128:
                block += bytes([rest % 128 + 128])
                rest //= 128
            block += bytes([rest]) if len(text) >= 127 else b""
            block += text
    return frame(HEADERS, flags, stream, block)


def call_fields(method, *more):
    return [
        (":method", "POST"), (":scheme", "http"), (":path", "/inference.GRPCInferenceService/" + method),
        (":authority", "x"), ("content-type", "application/grpc"), ("te", "trailers"), *more,
    ]  # fmt: skip


def call(stream, method, message=b"", *more):
    """A whole call of one message."""
    data = b"\0" + struct.pack(">I", len(message)) + message
    return headers(stream, call_fields(method, *more)) + frame(DATA, END_STREAM, stream, data)


class Connection:
    """The client's side of a connection."""

    def __init__(self, port, settings=b""):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.buffer = b""
        self.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, settings))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def next(self):
        """The next frame as kind, flags, stream and payload; `None` at the connection's end."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
            chunk = self.socket.recv(65536)
            if not chunk:
                return None
            self.buffer += chunk
        end = 9 + int.from_bytes(self.buffer[:3], "big")
        data, self.buffer = self.buffer[:end], self.buffer[end:]
        return data[3], data[4], int.from_bytes(data[5:9], "big"), data[9:]

    def until(self, *kinds, stream=None):
        """The next frame of one of these kinds, on that stream where it is given."""
        while (found := self.next()) is not None:
            if found[0] in kinds and stream in (None, found[2]):
                return found
        return None

    def is_answered(self, stream):
        """Whether the stream comes to its end with an answer."""
        while (found := self.next()) is not None:
            kind, flags, of, _ = found
            if of == stream and kind == RST_STREAM:
                return False
            if of == stream and kind in (DATA, HEADERS) and flags & END_STREAM:
                return True
        return False
