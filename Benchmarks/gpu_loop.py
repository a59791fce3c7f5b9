"""Runs a model in a bare loop over ONNX Runtime, as fast as it goes, and prints {"per_second": images a second}.

Arguments: one JSON object with model, input, shape (of one image), batch, callers, providers, memory and seconds. All
callers use one session, or each its own with TensorRT, which lets one run at a time into a session. With the memory
"gpu" inputs and outputs stay on the GPU.
"""

import json
import sys
import threading
import time

import numpy
import onnxruntime


def main(text):
    case = json.loads(text)
    options = onnxruntime.SessionOptions()

    def session():
        made = onnxruntime.InferenceSession(case["model"], options, providers=case["providers"])
        wanted = case["providers"][0]
        wanted = wanted if isinstance(wanted, str) else wanted[0]
        if made.get_providers()[0] != wanted:
            sys.exit(f"{wanted} does not start: the session has {', '.join(made.get_providers())}")
        return made

    own = any("Tensorrt" in str(provider) for provider in case["providers"])
    callers = case["callers"]
    sessions = [session() for _ in range(callers)] if own else [session()] * callers
    # The bytes that engine_benchmark sends.
    shape = [case["batch"], *case["shape"]]
    data = numpy.full(shape, 0x3C3C3C3C, numpy.uint32).view(numpy.float32)

    def runner(session):
        if case["memory"] != "gpu":
            return lambda: session.run(None, {case["input"]: data})
        binding = session.io_binding()
        binding.bind_ortvalue_input(case["input"], onnxruntime.OrtValue.ortvalue_from_numpy(data, "cuda", 0))
        for output in session.get_outputs():
            binding.bind_output(output.name, "cuda", 0)
        return lambda: session.run_with_iobinding(binding)

    def measure(seconds):
        counts = [0] * callers
        begin = time.monotonic()

        def work(index):
            run = runner(sessions[index])
            while time.monotonic() < begin + seconds:
                run()
                counts[index] += 1

        workers = [threading.Thread(target=work, args=[index]) for index in range(callers)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return sum(counts) * case["batch"] / (time.monotonic() - begin)

    measure(min(2, case["seconds"]))
    print(json.dumps({"per_second": measure(case["seconds"])}))


main(sys.argv[1])
