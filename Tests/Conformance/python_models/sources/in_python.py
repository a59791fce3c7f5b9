import os
import sys

import triton_python_backend_utils as pb_utils

sys.path.append(os.path.dirname(__file__))
import beside


class TritonPythonModel:
    def initialize(self, args):
        pb_utils.Logger.log_info(f"{beside.NAME} runs {args['model_name']}")

    def execute(self, requests):
        out = []
        for request in requests:
            a, b = (pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in ("INPUT0", "INPUT1"))
            out.append(pb_utils.InferenceResponse(
                output_tensors=[pb_utils.Tensor("OUTPUT0", a + b), pb_utils.Tensor("OUTPUT1", a - b)]))
        return out
