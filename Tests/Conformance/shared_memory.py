"""System shared memory through Triton's client."""

import unittest

import numpy as np
import tritonclient.grpc
import tritonclient.http
from server import Server, identity
from tritonclient.utils import InferenceServerException, shared_memory


class SharedMemoryCases:
    program = ""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server(cls.program, {"fp32": identity(["FP32"])}, "--allow-client-shm=true"))
        cls.client = cls.make_client(cls.server)
        cls.addClassCleanup(cls.client.close)

    def setUp(self):
        self.values = np.arange(16, dtype=np.float32).reshape(1, 16)
        self.key = f"/halcyon_{self.server.http_port}_{type(self).__name__}"
        self.region = shared_memory.create_shared_memory_region("local", self.key, 256)
        shared_memory.set_shared_memory_region(self.region, [self.values])
        self.client.register_system_shared_memory("region", self.key, 256)

    def tearDown(self):
        self.client.unregister_system_shared_memory()
        shared_memory.destroy_shared_memory_region(self.region)

    def infer(self, input_size=64, output_size=64, input_offset=0, output_offset=64, region="region"):
        tensor = self.library.InferInput("INPUT0", [1, 16], "FP32")
        tensor.set_shared_memory(region, input_size, offset=input_offset)
        output = self.library.InferRequestedOutput("OUTPUT0")
        output.set_shared_memory("region", output_size, offset=output_offset)
        return self.client.infer("fp32", [tensor], outputs=[output])

    def test_inputs_and_outputs(self):
        self.infer()
        written = shared_memory.get_contents_as_numpy(self.region, np.float32, [1, 16], offset=64)
        np.testing.assert_array_equal(written, self.values)

    def test_status(self):
        status = self.client.get_system_shared_memory_status("region")
        if self.library is tritonclient.grpc:
            self.assertEqual(status.regions["region"].byte_size, 256)
        else:
            self.assertEqual(status, [{"name": "region", "key": self.key, "offset": 0, "byte_size": 256}])

    def fails(self, text, body):
        with self.assertRaises(InferenceServerException) as caught:
            body()
        self.assertIn(text, str(caught.exception))

    def test_errors(self):
        self.fails("Unable to find shared memory region: 'nosuch'", lambda: self.infer(region="nosuch"))
        self.fails("Invalid offset + byte size", lambda: self.infer(input_size=64, input_offset=224))
        self.fails("Invalid offset for", lambda: self.infer(input_offset=257))
        self.fails("should be at least 64 bytes", lambda: self.infer(output_size=32))
        register = self.client.register_system_shared_memory
        self.fails("already in manager", lambda: register("region", self.key, 256))
        self.fails("invalid args", lambda: register("other", self.key, 1 << 40))
        self.fails("Unable to open shared memory region", lambda: register("other", "/halcyon_no_such_key", 8))
        self.client.unregister_system_shared_memory("region")
        self.fails("Unable to find", self.infer)


class HTTPSharedMemory(SharedMemoryCases, unittest.TestCase):
    library = tritonclient.http

    @staticmethod
    def make_client(server):
        return tritonclient.http.InferenceServerClient(f"127.0.0.1:{server.http_port}")


class GRPCSharedMemory(SharedMemoryCases, unittest.TestCase):
    library = tritonclient.grpc

    @staticmethod
    def make_client(server):
        return tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{server.grpc_port}")
