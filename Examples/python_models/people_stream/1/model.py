import base64
import io

import numpy as np
import triton_python_backend_utils as pb_utils
from PIL import Image


class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            sender = request.get_response_sender()
            file = pb_utils.get_input_tensor_by_name(request, "file").as_numpy().reshape(-1)[0]
            # In JSON a file comes as text.
            if file.startswith(b"/9j/"):
                file = base64.b64decode(file)
            picture = Image.open(io.BytesIO(file)).convert("RGB").resize((300, 300), Image.Resampling.BILINEAR)
            answer = pb_utils.InferenceRequest(
                model_name="pedestrian_ssdlite",
                requested_output_names=["detection_boxes", "detection_scores"],
                inputs=[pb_utils.Tensor("image_tensor", np.asarray(picture)[None])],
            ).exec()
            if answer.has_error():
                error = pb_utils.TritonError(answer.error().message())
                sender.send(
                    pb_utils.InferenceResponse(error=error), flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL
                )
                continue
            scores, boxes = (
                pb_utils.get_output_tensor_by_name(answer, name).as_numpy()[0]
                for name in ("detection_scores", "detection_boxes")
            )
            for index in np.argsort(-scores):
                if scores[index] <= 0.5:
                    break
                sender.send(
                    pb_utils.InferenceResponse(
                        output_tensors=[
                            pb_utils.Tensor("score", scores[index : index + 1].astype(np.float32)),
                            pb_utils.Tensor("box", boxes[index].astype(np.float32)),
                        ]
                    )
                )
            sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
        return None
