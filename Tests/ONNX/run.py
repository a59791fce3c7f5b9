#!/usr/bin/env python3
"""The operator test cases of the Python package onnx, asked of the server: python3 run.py HALCYON [--only TEXT] ...

Each model is served as its file is, without a configuration but for the engine's name, by onnxruntime and by openvino. It is
loaded, asked twice (in binary and, where JSON can say it, in JSON), and unloaded. What counts:

- onnxruntime: the cases that ONNX Runtime in Python runs. Right is its answer.
- openvino: those of them that OpenVINO in Python runs too. Right is ONNX Runtime's answer, or OpenVINO's own where the engines
  differ.
- Cases with sequences, maps, optionals, or types that the protocol lacks (FLOAT8, INT4, complex) are no cases of a server.
- Where two runs in Python differ (random numbers) only names, types and shapes are compared.

Fails where less than --threshold of an engine's cases are answered rightly, or a case ends the server or hangs it.
"""

import argparse
import collections
import pickle
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from cases import datatype
from served import Lost, Program, Refused, Server, configured, fits_json

HERE = Path(__file__).resolve().parent
ENGINES = ("onnxruntime", "openvino")
# Two builds of one engine may add up in another order.
TOLERANCE = {"float16": (1e-2, 1e-3), "bfloat16": (2e-2, 1e-2), "float32": (1e-3, 1e-5), "float64": (1e-6, 1e-9)}


class Wrong(Exception):
    """How an answer differs."""


def oracle(engine, folder):
    """{case: its last record}; a case that ends Python is one that the engine does not run."""
    path = folder / f"{engine}.answers"
    after = []
    while True:
        status = subprocess.run(
            [sys.executable, str(HERE / "oracle.py"), engine, str(folder), *after], check=False
        ).returncode
        records = {}
        with path.open("rb") as file:
            while True:
                try:
                    record = pickle.load(file)
                except EOFError:
                    break
                records[record[0]] = record[1:]
        if status == 0:
            return records
        after = [list(records)[-1]]


def compare(answer, expected, is_random):
    """Raises Wrong where an answer is not what is expected."""
    got = dict(answer)
    if list(got) != [name for name, _ in expected] and set(got) != {name for name, _ in expected}:
        raise Wrong(f"outputs {list(got)}, expected {[name for name, _ in expected]}")
    for name, right in expected:
        array = got[name]
        # Rank 0 is answered as [1] where the configuration has no other word for it.
        if array.shape != right.shape and not (right.shape == () and array.shape == (1,)):
            raise Wrong(f"output {name} has shape {list(array.shape)}, expected {list(right.shape)}")
        if datatype(array) != datatype(right):
            raise Wrong(f"output {name} is {datatype(array)}, expected {datatype(right)}")
        if not is_random and not close(array.reshape(right.shape), right):
            raise Wrong(f"output {name} has other values")


def close(array, right):
    if datatype(right) == "BYTES":
        as_bytes = [v if isinstance(v, bytes) else str(v).encode() for v in right.flatten().tolist()]
        return [v if isinstance(v, bytes) else str(v).encode() for v in array.flatten().tolist()] == as_bytes
    if right.dtype.name not in TOLERANCE:
        return np.array_equal(array, right)
    relative, absolute = TOLERANCE[right.dtype.name]
    wide = [each.astype(np.float64) for each in (array, right)]
    return np.allclose(*wide, rtol=relative, atol=absolute, equal_nan=True)


def ask(server, name, inputs, acceptable, is_random):
    """Loads, asks and unloads one model."""
    server.load(name)
    try:
        forms = [True, True]
        arrays = [array for answer in acceptable[:1] for _, array in answer]
        if not is_random and fits_json([*arrays, *(array for _, array in inputs)]):
            forms[1] = False
        for in_binary in forms:
            answer = server.infer(name, inputs, in_binary)
            problems = []
            for expected in acceptable:
                try:
                    compare(answer, expected, is_random)
                    break
                except Wrong as problem:
                    problems.append(problem)
            else:
                raise Wrong(f"{problems[0]}{'' if in_binary else ' (JSON)'}")
    finally:
        if server.process is not None:
            server.unload(name)


def expectations(engine, answers):
    """{case: (answers that are right, whether they are random, {the engine's name of an input: ours})} of the cases that count."""
    counted = {}
    for name, record in answers["onnxruntime"].items():
        own = answers[engine].get(name, ("begins",))
        if record[0] == "answers" and own[0] == "answers":
            acceptable = [record[1]] if engine == "onnxruntime" else [record[1], own[1]]
            counted[name] = (acceptable, not (record[2] and own[2]), own[3])
    return counted


def serve_all(program, inputs, counted, failures):
    """Asks every case that counts; failures is {case: (kind, what was wrong)}."""
    server = Server(program)
    for name, (acceptable, is_random, taken) in counted.items():
        arrays = dict(inputs[name])
        given = [(own, arrays[ours]) for own, ours in taken.items()]
        try:
            ask(server, name, given, acceptable, is_random)
        except Refused as problem:
            failures[name] = ("refused", str(problem))
        except Wrong as problem:
            failures[name] = ("wrong", str(problem))
        except Lost as problem:
            failures[name] = ("lost", str(problem))
    server.stop()


def reason(kind, words, name):
    """The words of a failure without what differs from case to case."""
    words = words.replace(name, "MODEL")
    words = re.sub(r"'[^']*'|\"[^\"]*\"|/[\w/.-]+", "…", words)
    return f"{kind}: {re.sub(r'-?[0-9]+', 'N', words)[:160]}"


def report(engine, counted, failures, threshold, out):
    right = len(counted) - len(failures)
    share = right / max(1, len(counted))
    lost = [name for name, (kind, _) in failures.items() if kind == "lost"]
    passed = share >= threshold and not lost
    print(
        f"{engine}: {right} of {len(counted)} answered rightly ({share:.4f}; at least {threshold}), {len(lost)} ended or "
        f"hung the server: {'passed' if passed else 'FAILED'}",
        file=out,
    )
    groups = collections.defaultdict(list)
    for name, (kind, words) in failures.items():
        groups[reason(kind, words, name)].append(name)
    for words, names in sorted(groups.items(), key=lambda group: -len(group[1])):
        print(f"  {len(names):4} {words}", file=out)
        print(f"       as {names[0]}: {failures[names[0]][1][:400]}", file=out)
        print(f"       {' '.join(names)}", file=out)
    return passed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", metavar="HALCYON")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name has it")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="one engine alone")
    parser.add_argument("--threshold", type=float, default=0.99, help="default: 0.99")
    parser.add_argument("--report", metavar="FILE", help="write the report there too")
    options = parser.parse_args()
    engines = options.engine or ENGINES
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="halcyon-onnx-") as place:
        folder = Path(place)
        subprocess.run([sys.executable, str(HERE / "cases.py"), str(folder)], check=True)
        inputs = pickle.loads((folder / "inputs.pickle").read_bytes())
        answers = in_parallel({each: (oracle, each, folder) for each in {"onnxruntime", *engines}})
        print(f"{len(inputs)} cases; the engines' own answers after {time.monotonic() - begun:.0f} s", flush=True)
        runs, results = {}, {}
        for engine in engines:
            repository = folder / "repository"
            if engine == "openvino":
                repository = configured(repository, folder / "repository-openvino")
            counted = {n: e for n, e in expectations(engine, answers).items() if options.only in n}
            results[engine] = (counted, {})
            program = Program(str(Path(options.program).resolve()), engine, repository)
            runs[engine] = (serve_all, program, inputs, *results[engine])
        in_parallel(runs)
    passed = True
    places = [sys.stdout]
    if options.report:
        places.append(Path(options.report).open("w"))
    for engine, (counted, failures) in results.items():
        for out in places:
            verdict = report(engine, counted, failures, options.threshold, out)
        passed = passed and verdict
    print(f"{time.monotonic() - begun:.0f} s")
    sys.exit(0 if passed else 1)


def in_parallel(calls):
    """{key: (function, argument...)} to {key: what it returned}."""
    results, problems = {}, []

    def call(key, function, *arguments):
        try:
            results[key] = function(*arguments)
        except BaseException as problem:  # noqa: BLE001 (it is raised again below)
            problems.append(problem)

    threads = [threading.Thread(target=call, args=(key, *call_)) for key, call_ in calls.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return results


if __name__ == "__main__":
    main()
