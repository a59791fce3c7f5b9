"""What the tests of Python models share: where the backend is, configurations, and a server with models' code."""

from pathlib import Path

import numpy as np
import tritonclient.http as httpclient
from server import BACKENDS, Server

HERE = (BACKENDS / "python" / "libtriton_python.so").is_file()
WHY = "Triton's Python backend is not there: Scripts/deps --python-models fetches it"
SOURCES = Path(__file__).resolve().parent / "sources"

ADD_SUB = """backend: "python"
max_batch_size: 8
input [ { name: "INPUT0" data_type: TYPE_FP32 dims: [ 4 ] }, { name: "INPUT1" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "OUTPUT0" data_type: TYPE_FP32 dims: [ 4 ] }, { name: "OUTPUT1" data_type: TYPE_FP32 dims: [ 4 ] } ]
dynamic_batching { }
instance_group [ { count: 1 kind: KIND_CPU } ]
"""

TRIAL = """backend: "python"
input [ { name: "WHAT" data_type: TYPE_STRING dims: [ 1 ] } ]
output [ { name: "SAID" data_type: TYPE_STRING dims: [ 1 ] } ]
instance_group [ { count: 1 kind: KIND_CPU } ]
"""

REPEAT = """backend: "python"
model_transaction_policy { decoupled: True }
input [ { name: "IN" data_type: TYPE_INT32 dims: [ 1 ] } ]
output [ { name: "OUT" data_type: TYPE_INT32 dims: [ 1 ] } ]
instance_group [ { count: 1 kind: KIND_CPU } ]
"""


def what(text):
    """The input of a model like `TRIAL`."""
    tensor = httpclient.InferInput("WHAT", [1], "BYTES")
    tensor.set_data_from_numpy(np.array([text.encode()], np.object_))
    return [tensor]


class PythonServer(Server):
    """With the code of Python models: the name of a file in `sources`, by the model's name."""

    def __init__(self, program, models, code, *flags):
        super().__init__(program, models, *flags)
        for name, source in code.items():
            self.files[f"{name}/1/model.py"] = SOURCES / f"{source}.py"
