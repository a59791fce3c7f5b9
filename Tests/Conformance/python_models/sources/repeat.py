import os
import threading

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            count = int(pb_utils.get_input_tensor_by_name(request, "IN").as_numpy()[0])
            sender = request.get_response_sender()
            # After `execute` has returned, too.
            threading.Thread(target=self.answer, args=(sender, count)).start()
        return None

    def answer(self, sender, count):
        for index in range(abs(count)):
            sender.send(pb_utils.InferenceResponse(
                output_tensors=[pb_utils.Tensor("OUT", np.array([index * index], np.int32))]))
        if count < 0:
            os._exit(5)
        sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
