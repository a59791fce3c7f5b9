import io

import numpy as np
import triton_python_backend_utils as pb_utils
from PIL import Image


def detect(file):
    """The scores and boxes that the detector, another model of the server, gives for a picture's file."""
    picture = Image.open(io.BytesIO(file)).convert("RGB").resize((300, 300), Image.Resampling.BILINEAR)
    answer = pb_utils.InferenceRequest(
        model_name="pedestrian_ssdlite",
        requested_output_names=["detection_boxes", "detection_scores"],
        inputs=[pb_utils.Tensor("image_tensor", np.asarray(picture)[None])],
    ).exec()
    if answer.has_error():
        raise pb_utils.TritonModelException(answer.error().message())
    scores, boxes = (
        pb_utils.get_output_tensor_by_name(answer, name).as_numpy()[0] for name in ("detection_scores", "detection_boxes")
    )
    return scores, boxes


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            file = pb_utils.get_input_tensor_by_name(request, "file").as_numpy().reshape(-1)[0]
            scores, _ = detect(file)
            count = np.array([(scores > 0.5).sum()], np.int32)
            responses.append(pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("count", count)]))
        return responses
