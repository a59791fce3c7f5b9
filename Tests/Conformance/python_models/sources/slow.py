import time

import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        time.sleep(3)
        return [
            pb_utils.InferenceResponse(output_tensors=[
                pb_utils.Tensor("SAID", pb_utils.get_input_tensor_by_name(request, "WHAT").as_numpy())])
            for request in requests]
