"""HTTP/2 and gRPC frame by frame, as no library would send them."""

import socket
import struct
import time

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
CANCEL = 8
SERVICE = "/inference.GRPCInferenceService/"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def message(content=b"", compressed=False):
    return bytes([compressed]) + struct.pack(">I", len(content)) + content


def text_field(number, text):
    """A field of protobuf that holds text or bytes."""
    text = text.encode() if isinstance(text, str) else text
    return varint(number << 3 | 2) + varint(len(text)) + text


def varint(value):
    out = bytearray()
    while True:
        out.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def tensor(name, datatype, shape):
    shape = b"".join(varint(each) for each in shape)
    return text_field(1, name) + text_field(2, datatype) + text_field(3, shape)


def infer_message(model, inputs, contents=(), more=b""):
    """A ModelInferRequest: inputs as (name, datatype, shape), contents as bytes."""
    return (
        text_field(1, model) + more + b"".join(text_field(5, tensor(*each)) for each in inputs)
        + b"".join(text_field(7, content) for content in contents)
    )  # fmt: skip


class Connection:
    def __init__(self, server, settings=b"", timeout=20):
        self.socket = socket.create_connection(("127.0.0.1", server.grpc_port), timeout=timeout)
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.buffer = b""
        # Frames of streams that were not asked for yet.
        self.frames = []
        self.send(PREFACE + frame(SETTINGS, 0, 0, settings))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def headers(self, method, *more, path=None):
        head = [(":method", "POST"), (":scheme", "http"), (":path", path or SERVICE + method), (":authority", "x"),
                ("content-type", "application/grpc"), ("te", "trailers"), *more]  # fmt: skip
        return self.encoder.encode(head)

    def call(self, stream, method, body=b"", *more):
        """The frames of one unary call; its message may be longer than a frame."""
        data = message(body) if not isinstance(body, tuple) else message(body[0], True)
        parts = [data[at : at + 16384] for at in range(0, len(data), 16384)]
        frames = [frame(DATA, END_STREAM if part is parts[-1] else 0, stream, part) for part in parts]
        return frame(HEADERS, END_HEADERS, stream, self.headers(method, *more)) + b"".join(frames)

    def read_frame(self):
        """(kind, flags, stream, payload), or None where the connection has ended."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
            try:
                more = self.socket.recv(1 << 16)
            except OSError:
                return None
            if not more:
                return None
            self.buffer += more
        size = int.from_bytes(self.buffer[:3], "big")
        kind, flags, stream = self.buffer[3], self.buffer[4], int.from_bytes(self.buffer[5:9], "big")
        payload, self.buffer = self.buffer[9 : 9 + size], self.buffer[9 + size :]
        if kind == SETTINGS and not flags & ACK:
            self.send(frame(SETTINGS, ACK, 0))
        if kind == HEADERS:
            payload = dict(self.decoder.decode(payload))
        return kind, flags, stream, payload

    def answer(self, stream):
        """The last headers of a stream's answer; {"reset": code} or None where the connection ended first."""
        for index, (kind, flags, of, payload) in enumerate(self.frames):
            if of == stream and (kind == RST or (kind == HEADERS and flags & END_STREAM)):
                del self.frames[index]
                return self.outcome(kind, payload)
        while (read := self.read_frame()) is not None:
            kind, flags, of, payload = read
            if kind == RST or (kind == HEADERS and flags & END_STREAM):
                if of == stream:
                    return self.outcome(kind, payload)
                self.frames.append(read)
        return None

    def outcome(self, kind, payload):
        return {"reset": int.from_bytes(payload, "big")} if kind == RST else payload

    def is_closed(self, seconds):
        """Whether the server ends the connection in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.socket.settimeout(max(0.05, deadline - time.monotonic()))
            try:
                if not self.socket.recv(1 << 16):
                    return True
            except TimeoutError:
                return False
            except OSError:
                return True
        return False
