import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [
            pb_utils.InferenceResponse(output_tensors=[
                pb_utils.Tensor("O" + tensor.name()[1:], tensor.as_numpy()) for tensor in request.inputs()])
            for request in requests]
