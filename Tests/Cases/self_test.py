#!/usr/bin/env python3
"""Whether Scripts/check_cases sees what is right and what is wrong in folders that nobody has seen: self_test.py HALCYON"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIGURATION = (
    'backend: "identity"\nmax_batch_size: 0\ninput [ { name: "I" data_type: TYPE_FP32 dims: [ -1 ] } ]\n'
    'output [ { name: "O" data_type: TYPE_FP32 dims: [ -1 ] } ]\n'
)
REQUEST = {"inputs": [{"name": "I", "datatype": "FP32", "shape": [2], "data": [1, 2]}]}
ASK = "POST /v2/models/m/infer with request.json"
SERVE = """#!/bin/bash
ip link set lo up
$HALCYON serve --model-repository=repository --backend-directory=$BACKENDS > log 2>&1 & pid=$!
for i in $(seq 100); do curl -s -f localhost:8000/v2/health/ready && break; sleep 0.1; done
curl -s localhost:8000/v2/models/m/infer -d @request.json; echo; kill $pid
"""
ANSWER = '{"model_name":"m","model_version":"1","outputs":[...,"shape":[2],"data":[1.0,2.0]}]}\n'

# The name of a case, its files beside the model and the request, and the verdict.
CASES = [
    ("01-right", {"case.json": {"request": ASK, "expected": {"status": 200, "outputs[0].shape": [2], "data": [1, 2]}}}, "passed"),
    ("02-wrong-value", {"case.json": {"request": ASK, "expected": {"data": [1, 3]}}}, "FAILED"),
    ("03-wrong-status", {"case.json": {"request": ASK, "expected": {"status": 400}}}, "FAILED"),
    ("04-state", {"case.json": {"expected": {"state": "READY"}}}, "passed"),
    ("05-wrong-state", {"case.json": {"model": "m", "expected": {"state": "UNAVAILABLE"}}}, "FAILED"),
    ("06-error", {"case.json": {
        "request": {"method": "POST", "path": "/v2/models/m/infer", "body": {"inputs": []}},
        "expected": {"status": 400, "error": "expected 1 inputs"}}}, "passed"),
    ("07-words", {"case.json": {"expected": "it should be right"}}, "ran"),
    ("08-text", {"run.sh": SERVE, "expected.txt": ANSWER}, "passed"),
    ("09-other-text", {"run.sh": SERVE, "expected.txt": "something else\n"}, "FAILED"),
    ("10-parts", {"run.sh": SERVE, "expected.json": {"contains": '"data":[1.0,2.0]', "absent": "error"}}, "passed"),
    ("11-lacking", {"run.sh": SERVE, "expected.json": {"contains": "[9.0]"}}, "FAILED"),
    ("12-nothing-said", {"run.sh": SERVE}, "ran"),
    ("13-hangs", {"run.sh": "sleep 1000 & sleep 1000\n", "expected.json": {
        "seconds": 5, "checks": [{"run": "bash run.sh", "contains": "x"}]}}, "FAILED"),
]  # fmt: skip


def main(program):
    with tempfile.TemporaryDirectory(prefix="halcyon-cases-") as place:
        for name, files, _ in CASES:
            folder = Path(place) / name
            (folder / "repository" / "m" / "1").mkdir(parents=True)
            (folder / "repository" / "m" / "config.pbtxt").write_text(CONFIGURATION)
            for file, content in {"request.json": REQUEST, **files}.items():
                text = content if isinstance(content, str) else json.dumps(content)
                (folder / file).write_text(text)
                (folder / file).chmod(0o755)
        run = subprocess.run(
            [sys.executable, str(ROOT / "Scripts" / "check_cases"), place, "--halcyon", program],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    verdicts = {line.split()[1]: line.split()[0] for line in run.stdout.splitlines() if line[:1] in "pFkr" and " s)" in line}
    wrong = [f"{name}: {verdicts.get(name)}, expected {right}" for name, _, right in CASES if verdicts.get(name) != right]
    if wrong or run.returncode != 1:
        sys.exit("\n".join([*wrong, f"exit status {run.returncode}", run.stdout[-6000:], run.stderr[-2000:]]))
    print(f"check_cases tells {len(CASES)} cases apart")


main(sys.argv[1])
