#!/usr/bin/env python3
"""What an NVIDIA GPU is for, on a machine that has one: python3 run.py --engine FOLDER PATH_TO_HALCYON [NAME ...]

FOLDER holds the libraries of the PyPI package onnxruntime-gpu (its folder onnxruntime/capi); those of CUDA and cuDNN are found
as the system's loader finds them (LD_LIBRARY_PATH). The Python that runs this needs tritonclient[all], numpy and onnx.
NAME is a part of a test's name. Without a GPU nothing runs, and the last line says so.

`make test` has the same code run on a made-up driver (Tests/Conformance/gpu.py); what only a real one shows is here.
"""

import argparse
import base64
import ctypes
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "Tests" / "Conformance"))

GPU = "instance_group [ { count: %d kind: KIND_GPU } ]"
PROCESSOR = "instance_group [ { kind: KIND_CPU } ]"
SESSIONS = GPU % 2 + '\nparameters { key: "sessions_per_gpu" value { string_value: "%d" } }'
LIMITED = GPU % 2 + """
optimization { execution_accelerators { gpu_execution_accelerator {
  name: "cuda" parameters { key: "gpu_mem_limit" value: "536870912" }
} } }"""
# Eight requests that come at the same time are one batch, however long the last of them takes.
EIGHT = GPU % 1 + "\ndynamic_batching { preferred_batch_size: 8 max_queue_delay_microseconds: 60000000 }"


def gpu_query(what):
    """A property of the first GPU as nvidia-smi has it, without its unit."""
    command = ["nvidia-smi", f"--query-gpu={what}", "--format=csv,noheader,nounits", "--id=0"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def detector(path, side=64):
    """Writes a small network of convolutions: FP32 pictures of 3 × side × side in, 8 × side/4 × side/4 out, the first
    dimension open."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(1)

    def weights(name, *shape):
        return numpy_helper.from_array((random.standard_normal(shape) * 0.2).astype(np.float32), name)

    nodes = [
        helper.make_node("Conv", ["INPUT", "w1"], ["a"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "w2"], ["c"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Sigmoid", ["c"], ["OUTPUT"]),
    ]
    graph = helper.make_graph(
        nodes, "detector",
        [helper.make_tensor_value_info("INPUT", TensorProto.FLOAT, ["n", 3, side, side])],
        [helper.make_tensor_value_info("OUTPUT", TensorProto.FLOAT, ["n", 8, side // 4, side // 4])],
        [weights("w1", 16, 3, 3, 3), weights("w2", 8, 16, 3, 3)],
    )  # fmt: skip
    save(graph, path)


def wide(path):
    """The same for pictures of 3 × 320 × 320, of which one has 1.2 MB: so much that the GPU puts batches together where the
    bytes came over HTTP, and four threads where not."""
    detector(path, 320)


def texts(path):
    """Writes a model that gives a text back, beside a number's double: one step on the processor, one on the GPU."""
    from onnx import TensorProto, helper

    nodes = [helper.make_node("Identity", ["TEXT"], ["SAME"]), helper.make_node("Add", ["X", "X"], ["TWICE"])]
    graph = helper.make_graph(
        nodes, "texts",
        [helper.make_tensor_value_info("TEXT", TensorProto.STRING, ["n", 1]), helper.make_tensor_value_info("X", TensorProto.FLOAT, ["n", 1])],
        [helper.make_tensor_value_info("SAME", TensorProto.STRING, ["n", 1]), helper.make_tensor_value_info("TWICE", TensorProto.FLOAT, ["n", 1])],
    )  # fmt: skip
    save(graph, path)


def huge(path):
    """Writes a model whose only output takes four bytes for each element of the shape that a request names."""
    from onnx import TensorProto, helper

    nodes = [helper.make_node("Expand", ["VALUE", "SHAPE"], ["OUTPUT"])]
    graph = helper.make_graph(
        nodes, "huge",
        [helper.make_tensor_value_info("VALUE", TensorProto.FLOAT, [1]), helper.make_tensor_value_info("SHAPE", TensorProto.INT64, [1])],
        [helper.make_tensor_value_info("OUTPUT", TensorProto.FLOAT, ["n"])],
    )  # fmt: skip
    save(graph, path)


def save(graph, path):
    import onnx
    from onnx import helper

    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    path.parent.mkdir(parents=True)
    onnx.save(model, str(path))


class DeviceMemory:
    """Memory of this process on the GPU, by the driver's own functions, with a handle that another process opens."""

    def __init__(self, byte_count):
        self.driver = ctypes.CDLL("libcuda.so.1")
        self.check(self.driver.cuInit(0))
        device, self.context, self.address = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
        self.check(self.driver.cuDeviceGet(ctypes.byref(device), 0))
        self.check(self.driver.cuDevicePrimaryCtxRetain(ctypes.byref(self.context), device))
        self.check(self.driver.cuCtxSetCurrent(self.context))
        self.check(self.driver.cuMemAlloc_v2(ctypes.byref(self.address), ctypes.c_size_t(byte_count)))
        handle = ctypes.create_string_buffer(64)
        self.check(self.driver.cuIpcGetMemHandle(handle, self.address))
        self.handle = base64.b64encode(handle.raw).decode()

    @staticmethod
    def check(result):
        if result != 0:
            raise RuntimeError(f"CUDA error {result}")

    def write(self, data, offset=0):
        self.check(self.driver.cuMemcpyHtoD_v2(ctypes.c_uint64(self.address.value + offset), data, ctypes.c_size_t(len(data))))

    def read(self, byte_count, offset=0):
        data = ctypes.create_string_buffer(byte_count)
        self.check(self.driver.cuMemcpyDtoH_v2(data, ctypes.c_uint64(self.address.value + offset), ctypes.c_size_t(byte_count)))
        return data.raw

    def close(self):
        self.check(self.driver.cuMemFree_v2(self.address))


class OnGPU:
    """The tests, for each of the two protocols and for models in the server's process and in their own."""

    program = ""
    engine = None
    flags = ()

    @classmethod
    def setUpClass(cls):
        from server import Server

        folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        backend = folder / "backends" / "onnxruntime"
        backend.mkdir(parents=True)
        for library in cls.engine.glob("libonnxruntime*.so*"):
            (backend / library.name).symlink_to(library)
        models = {}
        for name, make, batch, lines in [
            ("detector", detector, 8, GPU % 2 + "\ndynamic_batching { }"), ("chosen", detector, 8, ""),
            ("processor", detector, 8, PROCESSOR), ("one", detector, 8, SESSIONS % 1), ("two", detector, 8, SESSIONS % 2),
            ("limited", detector, 8, LIMITED), ("wide", wide, 8, EIGHT), ("wide_processor", wide, 8, PROCESSOR),
            ("texts", texts, 8, GPU % 1), ("huge", huge, 0, GPU % 1), ("absent", detector, 8, "instance_group [ { kind: KIND_GPU gpus: [ 7 ] } ]"),
        ]:  # fmt: skip
            make(folder / name / "1" / "model.onnx")
            (folder / name / "config.pbtxt").write_text(f'backend: "onnxruntime"\nmax_batch_size: {batch}\n{lines}\n')
            models[name] = folder / name
        server = Server(
            cls.program, models, f"--backend-directory={folder}/backends", "--allow-client-shm=true", "--exit-on-error=false",
            "--model-control-mode=explicit", *(f"--load-model={name}" for name in models if name != "absent"), *cls.flags,
        )  # fmt: skip
        cls.server = cls.enterClassContext(server)
        cls.client = cls.make_client(cls.server)
        cls.addClassCleanup(cls.client.close)

    def pictures(self, count, seed=0, side=64):
        import numpy as np

        return np.random.default_rng(seed).random((count, 3, side, side), np.float32)

    def detect(self, model, pictures):
        tensor = self.library.InferInput("INPUT", list(pictures.shape), "FP32")
        tensor.set_data_from_numpy(pictures)
        return self.client.infer(model, [tensor]).as_numpy("OUTPUT")

    def metric(self, name):
        import urllib.request

        with urllib.request.urlopen(f"http://127.0.0.1:{self.server.metrics_port}/metrics") as page:
            found = re.search(rf"^{name}{{[^}}]*}} (\S+)$", page.read().decode(), re.MULTILINE)
        self.assertIsNotNone(found, name)
        return float(found.group(1))

    def fails(self, text, body):
        from tritonclient.utils import InferenceServerException

        with self.assertRaises(InferenceServerException) as caught:
            body()
        self.assertIn(text, str(caught.exception))

    def configuration(self, model):
        import json

        status, _, body = self.server.get(f"/v2/models/{model}/config")
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def test_answers_are_the_processors(self):
        import numpy as np

        for count in (1, 3, 8):
            pictures = self.pictures(count, count)
            expected = self.detect("processor", pictures)
            for model in ("detector", "chosen"):
                # The GPU multiplies with fewer bits (TF32), where the engine lets it.
                np.testing.assert_allclose(self.detect(model, pictures), expected, atol=2e-3)

    def test_batches_of_all_sizes_in_any_order(self):
        import random

        import numpy as np

        sizes = [*range(1, 9)] * 3
        random.Random(1).shuffle(sizes)
        for turn, count in enumerate(sizes):
            pictures = self.pictures(count, turn)
            expected = self.detect("processor", pictures)
            for model in ("detector", "one", "two", "limited"):
                with self.subTest(model=model, count=count):
                    np.testing.assert_allclose(self.detect(model, pictures), expected, atol=2e-3)

    def test_large_pictures_are_put_together(self):
        import json
        from concurrent.futures import ThreadPoolExecutor

        import numpy as np

        def batches():
            status, _, page = self.server.get("/v2/models/wide/stats")
            self.assertEqual(status, 200, page)
            sizes = json.loads(page)["model_stats"][0]["batch_stats"]
            return next((each["compute_infer"]["count"] for each in sizes if each["batch_size"] == 8), 0)

        pictures = self.pictures(24, 5, side=320)
        expected = np.concatenate([self.detect("wide_processor", pictures[first : first + 8]) for first in (0, 8, 16)])
        clients = [self.make_client(self.server) for _ in range(8)]
        before = batches()

        def work(index):
            answers = []
            for picture in pictures[index::8]:
                tensor = self.library.InferInput("INPUT", [1, *picture.shape], "FP32")
                tensor.set_data_from_numpy(picture[None])
                answers.append(clients[index].infer("wide", [tensor]).as_numpy("OUTPUT")[0])
            return answers

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(work, range(8)))
        for client in clients:
            client.close()
        self.assertEqual(batches() - before, 3)
        for index in range(24):
            np.testing.assert_allclose(answers[index % 8][index // 8], expected[index], atol=2e-3)

    def test_many_at_once(self):
        from concurrent.futures import ThreadPoolExecutor

        import numpy as np

        pictures = [self.pictures(1, seed) for seed in range(64)]
        expected = self.detect("processor", np.concatenate(pictures[:8]))
        clients = [self.make_client(self.server) for _ in range(8)]

        def work(index):
            mine = clients[index]
            tensor = self.library.InferInput("INPUT", [1, 3, 64, 64], "FP32")
            answers = []
            for picture in pictures[index::8]:
                tensor.set_data_from_numpy(picture)
                answers.append(mine.infer("detector", [tensor]).as_numpy("OUTPUT"))
            return answers

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(work, range(8)))
        for client in clients:
            client.close()
        for index, answer in enumerate(answers):
            np.testing.assert_allclose(answer[0][0], expected[index], atol=2e-3)

    def test_without_an_instance_group_a_model_is_on_the_gpu(self):
        groups = self.configuration("chosen")["instance_group"]
        self.assertEqual([(group["kind"], group["gpus"], group["count"]) for group in groups], [("KIND_GPU", [0], 1)])

    def test_texts(self):
        import numpy as np

        text = self.library.InferInput("TEXT", [2, 1], "BYTES")
        text.set_data_from_numpy(np.array([[b"one"], [b""]], np.object_))
        number = self.library.InferInput("X", [2, 1], "FP32")
        number.set_data_from_numpy(np.array([[1.5], [-2]], np.float32))
        answer = self.client.infer("texts", [text, number])
        self.assertEqual(answer.as_numpy("SAME").tolist(), [[b"one"], [b""]])
        self.assertEqual(answer.as_numpy("TWICE").tolist(), [[3.0], [-4.0]])

    def test_memory_of_the_client(self):
        import numpy as np

        byte_count = 4 * 2 * 3 * 64 * 64
        region = DeviceMemory(2 * byte_count)
        self.addCleanup(region.close)
        pictures = self.pictures(2)
        region.write(pictures.tobytes())
        self.client.register_cuda_shared_memory("region", region.handle, 0, 2 * byte_count)
        self.addCleanup(self.client.unregister_cuda_shared_memory)
        tensor = self.library.InferInput("INPUT", [2, 3, 64, 64], "FP32")
        tensor.set_shared_memory("region", byte_count)
        output = self.library.InferRequestedOutput("OUTPUT")
        size = 4 * 2 * 8 * 16 * 16
        output.set_shared_memory("region", size, offset=byte_count)
        expected = self.detect("processor", pictures)
        for model in ("detector", "processor"):
            region.write(bytes(size), byte_count)
            self.client.infer(model, [tensor], outputs=[output])
            answer = np.frombuffer(region.read(size, byte_count), np.float32).reshape(expected.shape)
            np.testing.assert_allclose(answer, expected, atol=2e-3)
        self.fails("already in manager", lambda: self.client.register_cuda_shared_memory("region", region.handle, 0, 16))
        self.fails("were named", lambda: self.client.register_cuda_shared_memory("more", region.handle, 0, 1 << 40))
        wrong = base64.b64encode(bytes(64)).decode()
        self.fails("can't open the handle", lambda: self.client.register_cuda_shared_memory("wrong", wrong, 0, 16))

    def test_a_gpu_that_is_not_there(self):
        self.fails("specifies invalid or unsupported gpu id 7", lambda: self.client.load_model("absent"))

    def test_more_memory_than_there_is(self):
        import numpy as np

        def ask(count):
            value = self.library.InferInput("VALUE", [1], "FP32")
            value.set_data_from_numpy(np.ones(1, np.float32))
            shape = self.library.InferInput("SHAPE", [1], "INT64")
            shape.set_data_from_numpy(np.array([count], np.int64))
            return self.client.infer("huge", [value, shape]).as_numpy("OUTPUT")

        self.assertEqual(len(ask(1000)), 1000)
        self.fails("emory", lambda: ask(1 << 40))
        self.assertEqual(len(ask(2000)), 2000)

    def test_loading_again_and_again_keeps_no_memory(self):
        used = []
        for _ in range(16):
            self.client.unload_model("chosen")
            self.client.load_model("chosen")
            self.detect("chosen", self.pictures(8))
            used.append(int(gpu_query("memory.used")))
        # In MiB. The server's own figure is as old as its metrics are.
        self.assertLessEqual(max(used[8:]), max(used[:8]) + 16, used)

    def test_metrics(self):
        self.detect("detector", self.pictures(8))
        megabyte = 1 << 20
        self.assertAlmostEqual(self.metric("nv_gpu_memory_total_bytes") / megabyte, float(gpu_query("memory.total")), delta=1)
        self.assertAlmostEqual(self.metric("nv_gpu_power_limit"), float(gpu_query("power.limit")), delta=1)
        self.assertGreater(self.metric("nv_gpu_memory_used_bytes"), 100 * megabyte)
        self.assertTrue(0 <= self.metric("nv_gpu_utilization") <= 1)
        self.assertGreater(self.metric("nv_gpu_power_usage"), 1)
        energy = self.metric("nv_energy_consumption")
        self.assertGreaterEqual(self.metric("nv_energy_consumption"), energy)
        status, _, page = self.server.request("GET", "/v2/models/detector/stats")
        self.assertEqual(status, 200, page)


class OverHTTP(OnGPU, unittest.TestCase):
    @property
    def library(self):
        import tritonclient.http

        return tritonclient.http

    @staticmethod
    def make_client(server):
        import tritonclient.http

        return tritonclient.http.InferenceServerClient(f"127.0.0.1:{server.http_port}", network_timeout=120)


class OverGRPC(OnGPU, unittest.TestCase):
    @property
    def library(self):
        import tritonclient.grpc

        return tritonclient.grpc

    @staticmethod
    def make_client(server):
        import tritonclient.grpc

        return tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{server.grpc_port}")


class InAProcessOfItsOwn(OverHTTP):
    flags = ("--isolation=process",)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--engine", type=Path, required=True)
    options = parser.parse_args()
    try:
        print(f"GPU: {gpu_query('name')}")
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"skipped: nvidia-smi finds no GPU here ({error})")
        return 0
    from suites import run, suite

    cases = [OverHTTP, OverGRPC, InAProcessOfItsOwn]
    tests = suite(cases, options.names, program=str(options.program.resolve()), engine=options.engine.resolve())
    return run(tests, verbosity=2)


if __name__ == "__main__":
    sys.exit(main())
