import json

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        parameters = json.loads(args["model_config"])["parameters"]
        self.threshold = float(parameters["threshold"]["string_value"])

    def execute(self, requests):
        responses = []
        for request in requests:
            boxes, scores, sizes = (
                pb_utils.get_input_tensor_by_name(request, name).as_numpy()
                for name in ("detection_boxes", "detection_scores", "size")
            )
            found = scores > self.threshold
            width, height = sizes[:, 0], sizes[:, 1]
            # The detector says top, left, bottom, right, as parts of the picture.
            scale = np.stack([width, height, width, height], axis=1)[:, None, :]
            pixels = boxes[:, :, [1, 0, 3, 2]] * scale * found[:, :, None]
            count = found.sum(axis=1, keepdims=True).astype(np.int32)
            responses.append(
                pb_utils.InferenceResponse(
                    output_tensors=[
                        pb_utils.Tensor("count", count),
                        pb_utils.Tensor("boxes", pixels.astype(np.float32)),
                    ]
                )
            )
        return responses
