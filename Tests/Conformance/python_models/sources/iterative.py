"""With `set_release_flags` a request comes again. What it says of itself is how often it was here before."""

import json

import numpy as np
import triton_python_backend_utils as pb_utils

FINAL = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL


class TritonPythonModel:
    def initialize(self, args):
        self.is_decoupled = pb_utils.using_decoupled_model_transaction_policy(json.loads(args["model_config"]))
        self.seen = {}

    def execute(self, requests):
        responses = []
        for request in requests:
            steps, start, correlation = [
                int(pb_utils.get_input_tensor_by_name(request, name).as_numpy().ravel()[0])
                for name in ("STEPS", "START", "CORRID")]
            before = 0 if start else self.seen[correlation]
            said = [before, start, request.flags(), request.correlation_id() == correlation]
            response = pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("SAID", np.array([said], np.int32))])
            is_last = before + 1 >= steps
            self.seen[correlation] = before + 1
            if not is_last:
                request.set_release_flags(pb_utils.TRITONSERVER_REQUEST_RELEASE_RESCHEDULE)
            if self.is_decoupled:
                request.get_response_sender().send(response, FINAL if is_last else 0)
            else:
                responses.append(response if is_last else None)
        return None if self.is_decoupled else responses
