import ctypes
import json
import os
import sys
import time

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        self.args = args
        self.family = pb_utils.MetricFamily(
            name="python_requests_total", description="requests of a Python model", kind=pb_utils.MetricFamily.COUNTER)
        self.metric = self.family.Metric(labels={"model": "trial", "kind": "a"})

    def execute(self, requests):
        out = []
        for request in requests:
            self.metric.increment(2)
            what = pb_utils.get_input_tensor_by_name(request, "WHAT").as_numpy()[0].decode()
            if what == "raise":
                raise ValueError("this model has had enough")
            if what == "error":
                out.append(pb_utils.InferenceResponse(error=pb_utils.TritonError(
                    "no such thing", pb_utils.TritonError.NOT_FOUND)))
                continue
            if what == "exit":
                os._exit(3)
            if what == "leave":
                sys.exit(4)
            if what == "kill":
                os.kill(os.getpid(), 9)
            if what == "crash":
                ctypes.string_at(0)
            if what == "log":
                pb_utils.Logger.log_warn("a line of the model's")
            if what == "rest":
                time.sleep(0.1)
            answer = {
                "id": request.request_id(), "correlation": request.correlation_id(), "flags": request.flags(),
                "timeout": request.timeout(), "parameters": json.loads(request.parameters()),
                "wanted": sorted(request.requested_output_names()), "name": self.args["model_name"],
                "instance": self.args["model_instance_name"], "kind": self.args["model_instance_kind"],
                "version": self.args["model_version"], "pid": os.getpid(),
            }
            text = np.array([json.dumps(answer).encode()], np.object_)
            out.append(pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("SAID", text)]))
        return out
