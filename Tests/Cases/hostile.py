"""Loads the model `m` and asks it as often as three times; says what came. With a file, that is the request."""

import http.client
import json
import os
import sys


def ask(method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["HTTP_PORT"]), timeout=30)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read().decode()
    except (OSError, http.client.HTTPException) as problem:
        return 0, f"no answer: {problem or type(problem).__name__}"


def requests():
    if len(sys.argv) > 1:
        return [open(sys.argv[1]).read()]
    status, text = ask("GET", "/v2/models/m")
    if status != 200:
        return []
    bodies = []
    for size in (1, 2, 0):
        inputs = []
        for tensor in json.loads(text)["inputs"]:
            shape = [size if each == -1 else each for each in tensor["shape"]]
            count = 1
            for each in shape:
                count *= each
            value = {"BOOL": True, "BYTES": "a"}.get(tensor["datatype"], 1)
            inputs.append({"name": tensor["name"], "datatype": tensor["datatype"], "shape": shape, "data": [value] * count})
        bodies.append(json.dumps({"inputs": inputs}))
    return bodies


print("load", *ask("POST", "/v2/repository/models/m/load", "{}"))
for body in requests():
    print("infer", *ask("POST", "/v2/models/m/infer", body))
