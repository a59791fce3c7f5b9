import numpy as np
import triton_python_backend_utils as pb_utils

FINAL = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL


class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            plan = pb_utils.get_input_tensor_by_name(request, "PLAN").as_numpy()[0].decode()
            sender = request.get_response_sender()
            for place, step in enumerate(plan):
                if step == "x":
                    raise ValueError("this model has had enough")
                if step in "rR":
                    response = pb_utils.InferenceResponse(
                        output_tensors=[pb_utils.Tensor("OUT", np.array([place], np.int32))])
                elif step in "eE":
                    response = pb_utils.InferenceResponse(
                        error=pb_utils.TritonError(f"no {place}", pb_utils.TritonError.NOT_FOUND))
                if step == "F":
                    sender.send(flags=FINAL)
                else:
                    sender.send(response, FINAL if step.isupper() else 0)
        return None
