"""Runs a model in a bare loop over ONNX Runtime, as fast as it goes, and prints {"per_second": …}.

Arguments: model, input, shape as JSON, callers, threads within an operator, seconds. All callers use one session.
"""

import json
import sys
import threading
import time

import numpy
import onnxruntime


def main(path, name, shape, callers, threads, seconds):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    # The bytes that engine_benchmark sends.
    data = numpy.full(json.loads(shape), 0x3C3C3C3C, numpy.uint32).view(numpy.float32)
    counts = [0] * int(callers)

    def work(index, end):
        while time.monotonic() < end:
            session.run(None, {name: data})
            counts[index] += 1

    def measure(seconds):
        counts[:] = [0] * len(counts)
        begin = time.monotonic()
        workers = [threading.Thread(target=work, args=[i, begin + seconds]) for i in range(len(counts))]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return sum(counts) / (time.monotonic() - begin)

    measure(min(2, float(seconds)))
    print(json.dumps({"per_second": measure(float(seconds))}))


main(*sys.argv[1:])
