import ctypes

import numpy as np
import triton_python_backend_utils as pb_utils

# The head of DLManagedTensor: data, device type and number, dimensions, code, bits, lanes, shape.
HEAD = [
    ("data", ctypes.c_void_p), ("device", ctypes.c_int32 * 2), ("ndim", ctypes.c_int32), ("code", ctypes.c_uint8),
    ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16), ("shape", ctypes.POINTER(ctypes.c_int64))]


class Head(ctypes.Structure):
    _fields_ = HEAD


def head(capsule):
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return ctypes.cast(get(capsule, b"dltensor"), ctypes.POINTER(Head)).contents


class TritonPythonModel:
    def execute(self, requests):
        out = []
        for request in requests:
            tensor = pb_utils.get_input_tensor_by_name(request, "IN")
            try:
                said = str(tensor.as_numpy())
            except Exception as error:
                said = str(error)
            # A copy to compute with: doubling adds 1 to the exponent, which begins at bit 7.
            doubled = pb_utils.Tensor("DOUBLED", np.zeros(tensor.shape(), np.uint16)).to_dlpack()
            source, target = tensor.to_dlpack(), head(doubled)
            count = source and tensor.shape()[0]
            numbers = (ctypes.c_uint16 * count).from_address(head(source).data) if count else []
            results = (ctypes.c_uint16 * count).from_address(target.data) if count else []
            for index in range(count):
                results[index] = numbers[index] + (1 << 7)
            target.code = 4
            out.append(pb_utils.InferenceResponse(output_tensors=[
                pb_utils.Tensor.from_dlpack("OUT", source), pb_utils.Tensor.from_dlpack("DOUBLED", doubled),
                pb_utils.Tensor("SAID", np.array([said.encode()], np.object_))]))
        return out
