import asyncio
import json

import numpy as np
import triton_python_backend_utils as pb_utils


def add_sub(value, **options):
    a = np.full((1, 4), value, np.float32)
    return pb_utils.InferenceRequest(
        model_name="add_sub", requested_output_names=["OUTPUT0", "OUTPUT1"],
        inputs=[pb_utils.Tensor("INPUT0", a), pb_utils.Tensor("INPUT1", a)], **options)


def told(response):
    if response.has_error():
        return response.error().message()
    return pb_utils.get_output_tensor_by_name(response, "OUTPUT0").as_numpy().ravel().tolist()


class TritonPythonModel:
    async def execute(self, requests):
        return [await self.answer(request) for request in requests]

    async def answer(self, request):
        what = pb_utils.get_input_tensor_by_name(request, "WHAT").as_numpy()[0].decode()
        if what == "wait":
            said = told(add_sub(1).exec())
        elif what == "together":
            said = [told(answer) for answer in await asyncio.gather(*[add_sub(n).async_exec() for n in range(8)])]
        elif what == "stream":
            calls = pb_utils.InferenceRequest(
                model_name="repeat", requested_output_names=["OUT"], inputs=[pb_utils.Tensor("IN", np.array([3], np.int32))])
            said = [int(pb_utils.get_output_tensor_by_name(part, "OUT").as_numpy()[0])
                    for part in calls.exec(decoupled=True) if part.output_tensors()]
        elif what == "nobody":
            said = told(pb_utils.InferenceRequest(
                model_name="nobody", requested_output_names=["X"], inputs=[pb_utils.Tensor("X", np.zeros(1, np.int32))]).exec())
        elif what == "wrong":
            said = told(pb_utils.InferenceRequest(
                model_name="add_sub", requested_output_names=["OUTPUT0"],
                inputs=[pb_utils.Tensor("INPUT0", np.zeros((1, 4), np.int32))]).exec())
        elif what == "control":
            said = [pb_utils.is_model_ready("spare")]
            pb_utils.load_model(model_name="spare")
            said.append(pb_utils.is_model_ready("spare"))
            pb_utils.unload_model(model_name="spare")
        text = np.array([json.dumps(said).encode()], np.object_)
        return pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("SAID", text)])
