import json
import sys

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        try:
            import packed_marker
            said = packed_marker.WORD
        except ImportError:
            said = "not packed"
        text = np.array([json.dumps([said, sys.prefix]).encode()], np.object_)
        return [pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("SAID", text)]) for _ in requests]
