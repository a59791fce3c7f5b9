"""Asks the ensemble `people` who is in a picture and in turned copies of it: people.py PICTURE TURNED..."""

import http.client
import json
import os
import sys


def people(path):
    """[(score, left, top, right, bottom)], the surest first."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["HTTP_PORT"]), timeout=60)
    outputs = [{"name": name, "parameters": {"binary_data": False}} for name in ("boxes", "scores", "count")]
    content = open(path, "rb").read()
    head = json.dumps({
        "inputs": [{"name": "file", "datatype": "BYTES", "shape": [1, 1], "parameters": {"binary_data_size": len(content) + 4}}],
        "outputs": outputs,
    }).encode()  # fmt: skip
    body = head + len(content).to_bytes(4, "little") + content
    connection.request("POST", "/v2/models/people/infer", body, {"Inference-Header-Content-Length": str(len(head))})
    response = connection.getresponse()
    answer = json.loads(response.read())
    if response.status != 200:
        sys.exit(f"{path}: {answer}")
    values = {output["name"]: output["data"] for output in answer["outputs"]}
    return [(values["scores"][i], *values["boxes"][4 * i : 4 * i + 4]) for i in range(values["count"][0])]


def same(one, other, size):
    """Whether two answers are one: a copy was encoded anew, so numbers may differ a little."""
    return len(one) == len(other) and all(
        abs(a[0] - b[0]) < 0.1 and all(abs(p - q) < 0.04 * size for p, q in zip(a[1:], b[1:], strict=True))
        for a, b in zip(one, other, strict=True)
    )


def main(picture, *turned):
    right = people(picture)
    size = max(value for each in right for value in each[1:])
    print(f"{len(right)} people")
    for path in turned:
        found = people(path)
        print(f"{path}: {'the same' if same(right, found, size) else f'{found}, and {right} is right'}")


main(*sys.argv[1:])
