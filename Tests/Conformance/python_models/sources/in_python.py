import os
import sys

import triton_python_backend_utils as pb_utils

sys.path.append(os.path.dirname(__file__))
import words


class TritonPythonModel:
    def initialize(self, args):
        self.said = {"model": args["model_name"], "word": words.WORD}

    def execute(self, requests):
        out = []
        for request in requests:
            a, b = (pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in ("INPUT0", "INPUT1"))
            out.append(pb_utils.InferenceResponse(
                output_tensors=[pb_utils.Tensor("OUTPUT0", a + b), pb_utils.Tensor("OUTPUT1", a - b)], parameters=self.said))
        return out
