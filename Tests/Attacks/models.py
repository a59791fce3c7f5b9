"""Models, configurations, pictures and folders that do harm."""

import base64
import json
import os
import signal
import struct
import tempfile
import threading
import time
from pathlib import Path

from onnx_files import doubling, reading, recurrent
from server import Server, identity
from target import AttackTest, long_only

ADD = """backend: "onnxruntime"
max_batch_size: 4
input [ { name: "X" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ 4 ] } ]
"""
DECODE = """backend: "image_preprocessing"
max_batch_size: 8
input [ { name: "file" data_type: TYPE_STRING dims: [ 1 ] } ]
output [ { name: "image" data_type: TYPE_UINT8 dims: [ 30, 30, 3 ] } ]
parameters { key: "fit" value { string_value: "stretch" } }
"""
# Where weights must not come from.
PLACES = (
    "*/_ORT_MEM_ADDR_/*", "/proc/self/environ", "../../../../etc/hostname", "../outside", "a/../../outside", "/etc/hostname",
    "", ".", "./..", "folder", "link",
)  # fmt: skip


def post(server, path, document):
    status, _, body = server.request("POST", path, json.dumps(document))
    return status, body.decode(errors="replace")


class Weights(AttackTest):
    def test_weights_come_from_the_model_s_own_folder(self):
        server = self.serve("--model-control-mode=explicit", "--load-model=innocent")

        def attack():
            for engine in ("onnxruntime", "openvino"):
                configuration = {
                    "backend": engine, "max_batch_size": 0,
                    "input": [{"name": "X", "data_type": "TYPE_FP32", "dims": [1]}],
                    "output": [{"name": "Y", "data_type": "TYPE_FP32", "dims": [-1]}],
                }  # fmt: skip
                for place in PLACES:
                    for offset in (0, 4096) if "MEM" in place else (0,):
                        content = base64.b64encode(reading(place, offset)).decode()
                        status, words = post(server, "/v2/repository/models/evil/load", {"parameters": {
                            "config": json.dumps(configuration), "file:1/model.onnx": content}})  # fmt: skip
                        self.assertIn(status, range(400, 500), (engine, place, words))
                        self.assert_lives(server)

        self.beside(server, attack, times=100)


class Loads(AttackTest):
    def test_a_warm_up_without_end_holds_nobody_up(self):
        server = self.serve("--model-control-mode=explicit", "--load-model=innocent", add=ADD, other=ADD)
        for name in ("add", "other"):
            (server.folder / "models" / name / "1" / "model.onnx").write_bytes(doubling())
        configuration = {
            "backend": "onnxruntime", "max_batch_size": 4,
            "input": [{"name": "X", "data_type": "TYPE_FP32", "dims": [4]}],
            "output": [{"name": "Y", "data_type": "TYPE_FP32", "dims": [4]}],
            "model_warmup": [{"name": "w", "batch_size": 1, "count": 2147483648, "inputs": {
                "X": {"data_type": "TYPE_FP32", "dims": [4], "zero_data": True}}}],
        }  # fmt: skip

        def attack():
            endless = {"parameters": {"config": json.dumps(configuration)}}
            results = []

            def load():
                try:
                    results.append(post(server, "/v2/repository/models/add/load", endless))
                except OSError as problem:
                    results.append((0, str(problem)))

            threads = [threading.Thread(target=load) for _ in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(0.3)
            self.assertEqual(post(server, "/v2/repository/models/other/load", {})[0], 200)
            post(server, "/v2/repository/models/add/unload", {})
            for thread in threads:
                thread.join()
            post(server, "/v2/repository/models/other/unload", {})
            return results

        for status, words in self.beside(server, attack, times=100):
            self.assertNotEqual(status, 200, words)
        self.assertEqual(post(server, "/v2/repository/models/add/load", {})[0], 200)

    def test_what_a_killed_server_leaves_is_removed_by_the_next(self):
        def folders():
            return {path for path in Path(tempfile.gettempdir()).glob("halcyon-model-*")}

        before = folders()
        first = Server(self.program, {"innocent": identity(["FP32"])}, "--model-control-mode=explicit")
        first.environment = {"SWIFT_BACKTRACE": "enable=no"}
        with first:
            content = base64.b64encode(doubling()).decode()
            configuration = {"backend": "onnxruntime", "max_batch_size": 4}
            status, words = post(first, "/v2/repository/models/add/load", {"parameters": {
                "config": json.dumps(configuration), "file:1/model.onnx": content}})  # fmt: skip
            self.assertEqual(status, 200, words)
            left = folders() - before
            first.process.send_signal(signal.SIGKILL)
            first.process.wait()
            first.process.returncode = 0
        with Server(self.program, {"innocent": identity(["FP32"])}):
            self.assertEqual([path for path in left if path.exists()], [])


class Tensors(AttackTest):
    def test_empty_tensors_of_models_that_were_not_declared_to_take_them(self):
        models = {}
        for operator, gates in (("GRU", 3), ("LSTM", 4)):
            models[operator.lower()] = (recurrent(operator, gates), 'backend: "onnxruntime"\nmax_batch_size: 0\n')
        server = self.serve(
            "--model-control-mode=explicit", "--load-model=innocent", **{name: text for name, (_, text) in models.items()}
        )  # fmt: skip
        for name, (content, _) in models.items():
            (server.folder / "models" / name / "1" / "model.onnx").write_bytes(content)
            self.assertEqual(post(server, f"/v2/repository/models/{name}/load", {})[0], 200)

        def attack():
            for name in models:
                for shape in ([2, 0, 4], [0, 2, 4], [0, 0, 4]):
                    body = {"inputs": [{"name": "X", "datatype": "FP32", "shape": shape, "data": []}]}
                    status, words = post(server, f"/v2/models/{name}/infer", body)
                    self.assertEqual(status, 400, (name, shape, words))

        self.beside(server, attack)


def scans(width, height, count):
    """A progressive picture of one grey level: a scan of averages, then as many scans as wanted that hold nothing."""

    def segment(marker, content):
        return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content

    blocks = ((width + 7) // 8) * ((height + 7) // 8)
    averages = bytes(blocks // 8) + (bytes([(1 << (8 - blocks % 8)) - 1]) if blocks % 8 else b"")
    # One symbol: a run of 2^14 blocks without anything, and its shorter kin.
    symbols = [0xE0, *(power << 4 for power in range(14))]
    codes = {symbol: (0b10000 + index, 5) for index, symbol in enumerate(symbols[1:])}
    codes[0xE0] = (0, 1)
    value, length, left = 0, 0, blocks
    while left:
        power = min(left, 32767).bit_length() - 1
        run = min(left, 32767)
        code, size = codes[power << 4]
        value, length = value << size | code, length + size
        value, length = value << power | (run - (1 << power)), length + power
        left -= run
    padding = -length % 8
    empty = (value << padding | (1 << padding) - 1).to_bytes((length + padding) // 8, "big").replace(b"\xff", b"\xff\0")
    return b"".join([
        b"\xff\xd8", segment(0xDB, b"\0" + b"\x01" * 64), segment(0xC2, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\0"),
        segment(0xC4, b"\x00" + bytes([1] + [0] * 15) + b"\0"),
        segment(0xC4, b"\x10" + bytes([1, 0, 0, 0, len(symbols) - 1] + [0] * 11) + bytes(symbols)),
        segment(0xDA, b"\x01\x01\x00\x00\x00\x00"), averages,
        (segment(0xDA, b"\x01\x01\x00\x01\x3f\x00") + empty) * count, b"\xff\xd9",
    ])  # fmt: skip


class Pictures(AttackTest):
    def ask(self, server, picture):
        headers = {"Inference-Header-Content-Length": "0"}
        status, _, body = server.request("POST", "/v2/models/decode/infer", picture, headers)
        return status, body[:300]

    def test_a_picture_of_thousands_of_scans(self):
        server = self.serve(decode=DECODE)
        # A few scans are a picture as any.
        self.assertEqual(self.ask(server, scans(64, 64, 5))[0], 200)
        bomb = scans(8192, 1024, 4000) if self.is_short else scans(65496, 1520, 9000)
        status, answer = self.beside(server, lambda: self.ask(server, bomb), times=100)
        self.assertIn(status, (400, 413), answer)
        self.assertEqual(self.ask(server, scans(64, 64, 5))[0], 200)


class Folders(AttackTest):
    @long_only
    def test_a_link_to_everything_in_a_polled_repository(self):
        server = self.serve("--model-control-mode=poll", "--repository-poll-secs=1")
        os.symlink("/", server.folder / "models" / "innocent" / "everything")
        os.symlink("/", server.folder / "models" / "all")
        time.sleep(3)
        self.assert_at_rest(server, seconds=4.0)
        self.assert_lives(server)
