"""What a GPU brings: CUDA shared memory through Triton's client, metrics, placement, and what is said without one.

The GPU is made up: Tests/CFakeCUDA, built as the driver's libraries. Its memory is the processor's, and a handle of
`shm:` and a name opens that object of shared memory.
"""

import base64
import os
import shutil
import subprocess
import tempfile
import unittest
import urllib.request
from multiprocessing import shared_memory
from pathlib import Path

import numpy as np
import tritonclient.grpc
import tritonclient.http
from server import ROOT, Server, identity
from tritonclient.utils import InferenceServerException

COMPILER = shutil.which("cc") or shutil.which("clang")


def fake_driver():
    """A folder with the libraries of a driver that has one GPU."""
    folder = Path(tempfile.mkdtemp(prefix="halcyon-driver-"))
    fake = ROOT / "Tests" / "CFakeCUDA"
    library = folder / "libcuda.so.1"
    subprocess.run(
        [
            COMPILER, "-shared", "-fPIC", "-w", "-D_GNU_SOURCE", "-D_Nullable=", "-D_Nonnull=", f"-I{fake}/include",
            f"-I{ROOT}/Sources/CCUDADriver/include", "-o", str(library), str(fake / "CFakeCUDA.c"), "-lrt", "-lpthread",
        ],
        check=True,
    )  # fmt: skip
    shutil.copy(library, folder / "libnvidia-ml.so.1")
    return folder


class Region:
    """Memory that another process has on its GPU."""

    def __init__(self, byte_count):
        self.memory = shared_memory.SharedMemory(create=True, size=byte_count)
        handle = f"shm:/{self.memory.name}".encode().ljust(64, b"\0")
        self.handle = base64.b64encode(handle).decode()

    def close(self):
        self.memory.close()
        self.memory.unlink()


def metrics_page(server):
    with urllib.request.urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics") as page:
        return page.read().decode()


@unittest.skipUnless(COMPILER, "there is no C compiler for the fake driver")
class DeviceMemoryCases:
    program = ""

    @classmethod
    def setUpClass(cls):
        cls.driver = fake_driver()
        cls.addClassCleanup(shutil.rmtree, cls.driver)
        server = Server(cls.program, {"fp32": identity(["FP32"]), "text": identity(["STRING"])}, "--allow-client-shm=true")
        server.environment = {"LD_LIBRARY_PATH": f"{cls.driver}:{os.environ.get('LD_LIBRARY_PATH', '')}"}
        cls.server = cls.enterClassContext(server)
        cls.client = cls.make_client(cls.server)
        cls.addClassCleanup(cls.client.close)

    def setUp(self):
        self.region = Region(256)
        self.addCleanup(self.region.close)
        self.client.register_cuda_shared_memory("region", self.region.handle, 0, 256)
        self.addCleanup(self.client.unregister_cuda_shared_memory)

    def infer(self, model="fp32", datatype="FP32", shape=(1, 16), size=64, output_size=64, output_offset=64):
        tensor = self.library.InferInput("INPUT0", list(shape), datatype)
        tensor.set_shared_memory("region", size)
        output = self.library.InferRequestedOutput("OUTPUT0")
        output.set_shared_memory("region", output_size, offset=output_offset)
        return self.client.infer(model, [tensor], outputs=[output])

    def test_inputs_and_outputs(self):
        values = np.arange(16, dtype=np.float32)
        self.region.memory.buf[:64] = values.tobytes()
        self.infer()
        np.testing.assert_array_equal(np.frombuffer(bytes(self.region.memory.buf[64:128]), np.float32), values)

    def test_texts(self):
        self.region.memory.buf[:7] = b"\3\0\0\0abc"
        self.infer("text", "BYTES", (1, 1), size=7)
        self.assertEqual(bytes(self.region.memory.buf[64:71]), b"\3\0\0\0abc")

    def test_status(self):
        status = self.client.get_cuda_shared_memory_status("region")
        if self.library is tritonclient.grpc:
            self.assertEqual((status.regions["region"].device_id, status.regions["region"].byte_size), (0, 256))
            self.assertEqual(len(self.client.get_system_shared_memory_status().regions), 0)
        else:
            self.assertEqual(status, [{"name": "region", "device_id": 0, "byte_size": 256}])
            self.assertEqual(self.client.get_system_shared_memory_status(), [])

    def fails(self, text, body):
        with self.assertRaises(InferenceServerException) as caught:
            body()
        self.assertIn(text, str(caught.exception))

    def test_errors(self):
        register = self.client.register_cuda_shared_memory
        self.fails("'region' already in manager", lambda: register("region", self.region.handle, 0, 256))
        self.fails("there is no GPU 1: this machine has one", lambda: register("other", self.region.handle, 1, 256))
        self.fails("and 1000000 were named", lambda: register("other", self.region.handle, 0, 1_000_000))
        wrong = base64.b64encode(b"x" * 64).decode()
        self.fails("GPU 0 can't open the handle", lambda: register("other", wrong, 0, 1))
        self.fails("has 64 bytes, got 3", lambda: register("other", base64.b64encode(b"abc").decode(), 0, 1))
        self.fails("Invalid offset + byte size", lambda: self.infer(output_offset=224))
        self.fails("should be at least 64 bytes", lambda: self.infer(output_size=32))
        self.client.unregister_cuda_shared_memory("region")
        self.fails("Unable to find shared memory region: 'region'", self.infer)

    def test_metrics(self):
        page = metrics_page(self.server)
        self.assertIn('nv_gpu_utilization{gpu_uuid="GPU-0"} 0.25', page)
        self.assertIn('nv_gpu_power_limit{gpu_uuid="GPU-0"} 300', page)
        self.assertIn("nv_pinned_memory_pool_total_bytes 268435456", page)


class HTTPDeviceMemory(DeviceMemoryCases, unittest.TestCase):
    library = tritonclient.http

    @staticmethod
    def make_client(server):
        return tritonclient.http.InferenceServerClient(f"127.0.0.1:{server.http_port}")


class GRPCDeviceMemory(DeviceMemoryCases, unittest.TestCase):
    library = tritonclient.grpc

    @staticmethod
    def make_client(server):
        return tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{server.grpc_port}")


class WithoutGPU(unittest.TestCase):
    program = ""

    @classmethod
    def setUpClass(cls):
        server = Server(cls.program, {"fp32": identity(["FP32"])}, "--allow-client-shm=true")
        # Nothing of a driver that this machine may have.
        server.environment = {"CUDA_VISIBLE_DEVICES": "-1"}
        cls.server = cls.enterClassContext(server)
        cls.client = tritonclient.http.InferenceServerClient(f"127.0.0.1:{cls.server.http_port}")
        cls.addClassCleanup(cls.client.close)

    @unittest.skipIf(Path("/proc/driver/nvidia").exists(), "this machine has a GPU")
    def test_registering_says_why_not(self):
        with self.assertRaises(InferenceServerException) as caught:
            self.client.register_cuda_shared_memory("r", base64.b64encode(bytes(64)).decode(), 0, 1)
        self.assertIn("failed to register CUDA shared memory region 'r': there is no NVIDIA driver", str(caught.exception))
        self.assertNotIn("nv_gpu_", metrics_page(self.server))

    def test_there_are_no_regions(self):
        self.assertEqual(self.client.get_cuda_shared_memory_status(), [])
        self.client.unregister_cuda_shared_memory()
