import os
import time

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        # Beside the model's versions: a test puts it there.
        if os.path.exists(os.path.join(args["model_repository"], "broken")):
            raise RuntimeError("this model is broken")

    def execute(self, requests):
        out = []
        for request in requests:
            what = pb_utils.get_input_tensor_by_name(request, "WHAT").as_numpy()[0].decode()
            said = str(os.getpid())
            if what == "call":
                answer = pb_utils.InferenceRequest(
                    model_name="slow", requested_output_names=["SAID"],
                    inputs=[pb_utils.get_input_tensor_by_name(request, "WHAT")]).exec()
                said = pb_utils.get_output_tensor_by_name(answer, "SAID").as_numpy()[0].decode()
            text = np.array([said.encode()], np.object_)
            out.append(pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("SAID", text)]))
        return out
