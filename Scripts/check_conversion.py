#!/usr/bin/env python3
"""Converts models as a user does, and serves what comes out: small ones made here, the default model, and, where
../shared/models/peoplenet and ../shared/images hold it and its picture, PeopleNet.

Arguments: the programs halcyon and people_detection. The Python environment of the conversions is made in .deps/convert on
first use.
"""

import http.client
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEPS = ROOT / ".deps"
ENVIRONMENT = DEPS / "convert"
EXAMPLE = ROOT / "Examples" / "people_detection"
BUS = DEPS / "images" / "bus.jpg"
PEDESTRIANS = DEPS / "models" / "pedestrian_ssdlite" / "frozen_inference_graph.pb"
PEOPLENET = ROOT.parent / "shared" / "models" / "peoplenet"
CAPTURE = ROOT.parent / "shared" / "images" / "capture.jpg"

sys.path.insert(0, str(ROOT / "Scripts"))
sys.dont_write_bytecode = True

from check_sample import BUS_PEOPLE, CheckFailed, expect, overlap  # noqa: E402


# Small ONNX files, put together field by field: no library is needed to make them.


def number(value):
    out = bytearray()
    while True:
        out.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def varint(field, value):
    return number(field << 3) + number(value)


def field(key, content):
    content = content.encode() if isinstance(content, str) else content
    return number(key << 3 | 2) + number(len(content)) + content


def port(name, dimensions):
    shape = b"".join(field(1, field(2, d) if isinstance(d, str) else varint(1, d)) for d in dimensions)
    return field(1, name) + field(2, field(1, varint(1, 1) + field(2, shape)))


def node(kind, inputs, output, attributes=b""):
    names = b"".join(field(1, name) for name in inputs)
    return field(1, names + field(2, output) + field(4, kind) + attributes)


def tensor(name, dimensions, values):
    shape = b"".join(varint(1, size) for size in dimensions)
    return field(5, shape + varint(2, 1) + field(8, name) + field(9, struct.pack(f"<{len(values)}f", *values)))


def model(graph):
    opset = field(8, field(1, "") + varint(2, 17))
    return varint(1, 8) + field(7, graph + field(2, "test")) + opset


def channel_model():
    """[N,3,4,5] to `weighted`, each channel times 1, 10 and 100, and `raised`, that plus 1: layouts and orders show."""
    graph = node("Mul", ["x", "w"], "weighted") + node("Add", ["weighted", "one"], "raised")
    graph += tensor("w", [3, 1, 1], [1, 10, 100]) + tensor("one", [1], [1])
    graph += field(11, port("x", ["N", 3, 4, 5]))
    graph += field(12, port("weighted", ["N", 3, 4, 5])) + field(12, port("raised", ["N", 3, 4, 5]))
    return model(graph)


class Programs:
    def __init__(self, halcyon, sample):
        self.halcyon = str(Path(halcyon).resolve())
        self.sample = str(Path(sample).resolve())

    def run_convert(self, *arguments, timeout=600, program=None):
        return subprocess.run(
            [*(program or [self.halcyon, "convert"]), "--environment", str(ENVIRONMENT), *map(str, arguments)],
            capture_output=True, text=True, check=False, timeout=timeout,
        )  # fmt: skip

    def convert(self, *arguments):
        """What a conversion says that must succeed."""
        run = self.run_convert(*arguments)
        expect(run.returncode == 0, f"exit status {run.returncode}: {run.stderr[-2000:]}")
        return run.stdout, run.stderr

    def must_fail(self, *arguments, naming):
        run = self.run_convert(*arguments)
        expect(run.returncode == 1, f"exit status {run.returncode}, and 1 was expected: {run.stderr[-1000:]}")
        expect(naming in run.stderr, f"the error does not name {naming!r}: {run.stderr[-1000:]}")

    def detect(self, *arguments):
        run = subprocess.run(
            [self.sample, "-p", str(DEPS), "--json", *map(str, arguments)],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        expect(run.returncode == 0, f"people_detection: exit status {run.returncode}: {run.stderr[-2000:]}")
        return json.loads(run.stdout)


def check_converter(programs, folder):
    """The converter as a program of its own: the same flags, and the same files."""
    converter = str(Path(programs.halcyon).with_name("halcyon-convert"))
    said = [
        subprocess.run([*words, "--help"], capture_output=True, text=True, check=True, timeout=60).stdout
        for words in ([programs.halcyon, "convert"], [converter])
    ]
    flags = [re.findall(r"^  (-.*?)(?:  |$)", text, re.MULTILINE) for text in said]
    differences = set(flags[0]) ^ set(flags[1])
    expect(len(flags[0]) > 20 and differences <= {"--version"}, f"the flags differ: {differences}")
    source = folder / "channels.onnx"
    source.write_bytes(channel_model())
    made = []
    for name, program in (("by-command", None), ("by-program", [converter])):
        (folder / name).mkdir()
        run = programs.run_convert("-e", folder / name / "model.xml", source, program=program)
        expect(run.returncode == 0, f"{name}: exit status {run.returncode}: {run.stderr[-2000:]}")
        made.append((folder / name / "model.bin").read_bytes())
    expect(made[0] == made[1], "the command and the program write different weights")


class Server:
    """`halcyon serve` with a repository, and its log."""

    def __init__(self, programs, repository):
        self.log = []
        command = [programs.halcyon, "serve", "--model-repository", str(repository), "--backend-directory",
                   str(DEPS / "backends"), "--http-port", "0", "--allow-grpc", "false", "--allow-metrics", "false"]  # fmt: skip
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.port = None
        self.listening = threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            self.log.append(line)
            if found := re.search(r"127\.0\.0\.1:(\d+)", line):
                self.port = int(found.group(1))
                self.listening.set()
        self.listening.set()

    def __enter__(self):
        try:
            expect(self.listening.wait(60) and self.port, f"the server does not listen: {''.join(self.log)[-2000:]}")
            deadline = time.monotonic() + 120
            while self.ask("GET", "/v2/health/ready")[0] != 200:
                ended = self.process.poll() is not None or time.monotonic() > deadline
                expect(not ended, f"the server is not ready: {''.join(self.log)[-2000:]}")
                time.sleep(0.05)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(10)

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError:
            return 0, b""
        finally:
            connection.close()

    def infer(self, name, tensor_name, shape, values, datatype="FP32"):
        """The outputs by name, in their order."""
        given = {"name": tensor_name, "shape": shape, "datatype": datatype, "data": values}
        status, answer = self.ask("POST", f"/v2/models/{name}/infer", json.dumps({"inputs": [given]}))
        expect(status == 200, f"{name} answers {status}: {answer[:500]}")
        return {output["name"]: output for output in json.loads(answer)["outputs"]}

    def outputs(self, name):
        status, answer = self.ask("GET", f"/v2/models/{name}")
        expect(status == 200, f"{name} answers {status}: {answer[:500]}")
        return [output["name"] for output in json.loads(answer)["outputs"]]


# The checks.


def check_small_models(programs, folder):
    """Layout, order of outputs, profiles and batches, for both engines, by what the server answers."""
    source = folder / "channels.onnx"
    source.write_bytes(channel_model())
    repository = folder / "small"
    flags = {
        "plain": [],
        "nhwc": ["-i", "nhwc"],
        "swapped": ["-o", "raised,weighted"],
        "chosen": ["-o", "raised", "-m", "4"],
        "bounded": ["-p", "x,1x3x4x5,2x3x4x5,3x3x4x5"],
        "half": ["-t", "fp16", "--verify"],
        "onnx": ["--target", "onnx"],
        "compiled": ["--compiled"],
        "pictures": ["--embed-preprocessing", "--scale", "1", "-d", "3,4,5"],
        "pictures_onnx": ["--embed-preprocessing", "--scale", "1", "-d", "3,4,5", "--target", "onnx"],
    }
    for name, extra in flags.items():
        programs.convert(*extra, "--output-model", repository / name, source)
    run = subprocess.run(
        [programs.halcyon, "lint", "--strict", "--backend-directory", str(DEPS / "backends"), str(repository)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    expect(run.returncode == 0, f"halcyon lint: {run.stdout}{run.stderr}")
    values = [float(i) for i in range(60)]
    expected = [value * 10 ** (i // 20) for i, value in enumerate(values)]
    last = [values[c * 20 + i] for i in range(20) for c in range(3)]
    with Server(programs, repository) as server:
        for name in flags:
            pictures = name.startswith("pictures")
            shape, given = ([1, 4, 5, 3], last) if pictures or name == "nhwc" else ([1, 3, 4, 5], values)
            if pictures:
                given = [int(value) for value in given]
            answer = server.infer(name, "x", shape, given, "UINT8" if pictures else "FP32")
            raised = answer["raised"]["data"]
            expect(
                all(abs(a - b - 1) <= 0.01 * abs(b) for a, b in zip(raised, expected)), f"{name}: {raised[:30]}"
            )  # fmt: skip
        expect(server.outputs("plain") == ["weighted", "raised"], f"plain: {server.outputs('plain')}")
        expect(server.outputs("swapped") == ["raised", "weighted"], f"swapped: {server.outputs('swapped')}")
        expect(server.outputs("chosen") == ["raised"], f"chosen: {server.outputs('chosen')}")
        over = {"inputs": [{"name": "x", "shape": [4, 3, 4, 5], "datatype": "FP32", "data": values * 4}]}
        status, _ = server.ask("POST", "/v2/models/bounded/infer", json.dumps(over))
        expect(status == 400, f"a batch over the profile's is answered with {status}")
        log = "".join(server.log)
        expect("taken over compiled" in log, f"the compiled model was not used: {log[-2000:]}")


def check_compiled_elsewhere(programs, folder):
    """A compiled model for another processor, and a damaged one: the model beside it serves, and the log says why."""
    source = folder / "channels.onnx"
    for name, change in (("foreign", "processor"), ("damaged", "bytes")):
        repository = folder / name
        programs.convert("--compiled", "--output-model", repository / "model", source)
        version = repository / "model" / "1"
        if change == "processor":
            stamp = json.loads((version / "model.blob.json").read_text())
            stamp["processor"]["name"] = "Another Processor"
            (version / "model.blob.json").write_text(json.dumps(stamp))
        else:
            blob = bytearray((version / "model.blob").read_bytes())
            blob[len(blob) // 2] ^= 0xFF
            (version / "model.blob").write_bytes(blob)
        with Server(programs, repository) as server:
            server.infer("model", "x", [1, 3, 4, 5], [0.0] * 60)
            log = "".join(server.log)
            expected = "Another Processor" if change == "processor" else "is damaged"
            expect("is not used" in log and expected in log, f"{name}: the log does not say why: {log[-2000:]}")


def check_errors(programs, folder):
    """Files that are damaged, foreign or malicious: a sentence, and nothing written."""
    whole = channel_model()
    bad = folder / "bad"
    bad.mkdir()
    out = bad / "out"

    def fails(name, content, naming, *flags):
        (bad / name).write_bytes(content)
        programs.must_fail(*flags, "--output-model", out, bad / name, naming=naming)
        expect(not out.exists(), f"{name}: something was written")
        expect(not list(bad.glob(".*")), f"{name}: something was left: {list(bad.glob('.*'))}")

    fails("cut.onnx", whole[:-9], "cut.onnx")
    fails("text.onnx", b"no model at all, only text", "no model that is known")
    fails("archive.onnx", b"PK\x03\x04" + bytes(64), "ZIP")
    outside = field(5, field(8, "w") + varint(2, 1) + field(13, field(1, "location") + field(2, "../../etc/passwd")))
    fails("outside.onnx", model(outside + field(12, port("y", [1]))), "../../etc/passwd")
    fails("huge.onnx", model(field(11, port("x", [1 << 40, 1 << 40])) + field(12, port("x", [1]))), "huge.onnx")
    fails("nothing.onnx", model(node("NoSuchOperation", ["x"], "y") + field(11, port("x", [1])) + field(12, port("y", [1]))),
          "NoSuchOperation")  # fmt: skip
    fails("model.etlt", struct.pack("<I", 0xFFFFFFFF) + bytes(64), "4294967295", "-k", "key")
    fails("model.etlt", struct.pack("<I", 7) + b"input_1" + bytes(range(64)), "UFF", "-k", "key")
    fails("right.onnx", whole, "no input 'y'", "-d", "y=3,4,5")


def check_interrupt(programs, folder):
    """Ctrl-C while it runs: the status says so, and nothing is left."""
    place = folder / "interrupted"
    place.mkdir()
    command = [programs.halcyon, "convert", "--environment", str(ENVIRONMENT), "-d", "300,300,3", "--verify",
               "--output-model", str(place / "model"), str(PEDESTRIANS)]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    said = ""
    for line in process.stderr:
        said += line
        if "reading the model" in line:
            process.send_signal(signal.SIGINT)
    expect(process.wait(60) == 130, f"exit status {process.returncode}: {said}")
    expect("interrupted" in said, said)
    expect(os.listdir(place) == [], f"left behind: {os.listdir(place)}")


def repository_of(folder, name, source):
    """A repository with the sample's own configuration for a model, without the model itself."""
    target = folder / name / source.name
    (target / "1").mkdir(parents=True)
    for file in ("config.pbtxt", "labels.txt"):
        shutil.copy(source / file, target)
    return folder / name, target / "1" / "model.xml"


def check_default_model(programs, folder):
    """The demo's detector as FP16 and INT8, served with the demo's configuration."""
    source = EXAMPLE / "model_repository_3" / "pedestrian_ssdlite"
    for precision, extra in (("fp16", []), ("int8", ["-c", BUS.parent, "--augment-calibration"])):
        repository, target = repository_of(folder, f"pedestrians-{precision}", source)
        said, _ = programs.convert("-t", precision, "-d", "300,300,3", *extra, "-e", target, PEDESTRIANS)
        result = programs.detect("-t", 4, "--image", BUS, "-r", repository)
        for thread in result["threads"]:
            found = [d["box"] for d in thread["detections"] if d["label"] == "person"]
            for person in BUS_PEOPLE:
                expect(any(overlap(box, person) > 0.8 for box in found), f"{precision}: nobody at {person}: {found}")
        if precision == "int8":
            print("       " + next((line.strip() for line in said.splitlines() if "latency" in line), ""), flush=True)


def check_peoplenet(programs, folder, precision):
    source = EXAMPLE / "model_repository_1" / "peoplenet"
    repository, target = repository_of(folder, f"peoplenet-{precision}", source)
    extra = ["-c", CAPTURE.parent, "--augment-calibration"] if precision == "int8" else []
    said, _ = programs.convert(
        "-t", precision, "-d", "3,544,960", "-i", "nchw", "-m", "16", "-o", "output_cov/Sigmoid,output_bbox/BiasAdd",
        *extra, "-e", target, PEOPLENET / "peoplenet_fp32.onnx",
    )  # fmt: skip
    if precision == "bf16":
        expect('INFERENCE_PRECISION_HINT" value { string_value: "bf16" }' in said, f"no word about the precision: {said}")
    result = programs.detect("--model", "peoplenet", "-t", 2, "--image", CAPTURE, "-r", repository)
    people = [p for p in json.loads((PEOPLENET / "expected_capture.json").read_text()) if p["score"] > 0.6]
    for thread in result["threads"]:
        for person in people:
            found = [d["box"] for d in thread["detections"] if d["label"] == "person"]
            expect(any(overlap(box, person["box"]) > 0.7 for box in found), f"{person} was not found: {found}")
    if precision == "int8":
        print("       " + next((line.strip() for line in said.splitlines() if "latency" in line), ""), flush=True)


def main(halcyon, sample):
    programs = Programs(halcyon, sample)
    checks = [
        ("the converter as a program of its own", check_converter, ()),
        ("layouts, outputs, profiles, compiled models and ONNX, served", check_small_models, ()),
        ("compiled for another processor, and damaged", check_compiled_elsewhere, ()),
        ("damaged, foreign and malicious files", check_errors, ()),
        ("an interrupt leaves nothing", check_interrupt, ()),
        ("the default model in FP16 and INT8 finds its people", check_default_model, ()),
    ]
    if PEOPLENET.is_dir() and CAPTURE.is_file():
        for precision in ("fp16", "bf16", "int8"):
            checks.append((f"PeopleNet in {precision.upper()} finds its people", check_peoplenet, (precision,)))
    else:
        print("skipped: PeopleNet, whose model is not on this machine")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, check, arguments in checks:
            start = time.monotonic()
            try:
                check(programs, Path(folder), *arguments)
                print(f"OK     {name} ({time.monotonic() - start:.0f} s)", flush=True)
            except (CheckFailed, KeyError, ValueError, subprocess.TimeoutExpired) as error:
                failed += 1
                print(f"FAILED {name}: {type(error).__name__}: {error}", flush=True)
    print(f"{len(checks) - failed} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: Scripts/check_conversion.py HALCYON PEOPLE_DETECTION")
    sys.exit(1 if main(sys.argv[1], sys.argv[2]) else 0)
