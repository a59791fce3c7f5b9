import io

import numpy as np
import triton_python_backend_utils as pb_utils
from PIL import Image


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            files = pb_utils.get_input_tensor_by_name(request, "file").as_numpy().reshape(-1)
            images, sizes = [], []
            for file in files:
                picture = Image.open(io.BytesIO(file)).convert("RGB")
                sizes.append(picture.size)
                images.append(np.asarray(picture.resize((300, 300), Image.Resampling.BILINEAR)))
            responses.append(
                pb_utils.InferenceResponse(
                    output_tensors=[
                        pb_utils.Tensor("image", np.stack(images)),
                        pb_utils.Tensor("size", np.array(sizes, np.float32)),
                    ]
                )
            )
        return responses
