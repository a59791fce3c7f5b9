"""Triton's own clients: the same cases over HTTP and gRPC, blocking and asyncio."""

import asyncio
import json
import queue
import unittest

import ml_dtypes
import numpy as np
import tritonclient.grpc
import tritonclient.grpc.aio
import tritonclient.http
import tritonclient.http.aio
from server import Server, identity
from tritonclient.utils import InferenceServerException

TYPES = {
    "BOOL": np.array([True, False, True]),
    "UINT8": np.array([0, 7, 255], np.uint8),
    "UINT16": np.array([0, 7, 65535], np.uint16),
    "UINT32": np.array([0, 7, 2**32 - 1], np.uint32),
    "UINT64": np.array([0, 7, 2**64 - 1], np.uint64),
    "INT8": np.array([-128, 0, 127], np.int8),
    "INT16": np.array([-(2**15), 0, 2**15 - 1], np.int16),
    "INT32": np.array([-(2**31), 0, 2**31 - 1], np.int32),
    "INT64": np.array([-(2**63), 0, 2**63 - 1], np.int64),
    "FP16": np.array([-1.5, 0, 65504], np.float16),
    "FP32": np.array([-1.5, 0.1, 3e38], np.float32),
    "FP64": np.array([-1.5, 0.1, 1e308], np.float64),
    "BYTES": np.array([b"one", b"", b"\xff\x00"], np.object_),
    "BF16": np.array([-1.5, 0, 128], ml_dtypes.bfloat16),
}


class Blocking:
    """Turns the asyncio clients into ones that can be called like the others."""

    def __init__(self, make):
        self.loop = asyncio.new_event_loop()

        async def build():
            return make()

        self.client = self.loop.run_until_complete(build())

    def __getattr__(self, name):
        method = getattr(self.client, name)
        return lambda *args, **kwargs: self.loop.run_until_complete(method(*args, **kwargs))

    def close(self):
        self.loop.run_until_complete(self.client.close())
        self.loop.close()


class Cases:
    """What must hold for every client; `library` makes tensors, `client` calls."""

    program = ""
    is_http = False

    @classmethod
    def setUpClass(cls):
        models = {f"type_{name.lower()}": identity(["STRING" if name == "BYTES" else name]) for name in TYPES}
        models["two"] = identity(["FP32", "INT32"])
        models["unbatched"] = identity(["FP32"], dims="-1, 2", max_batch_size=0)
        models["labels"] = identity(["FP32"])
        cls.server = cls.enterClassContext(
            Server(cls.program, models, "--model-control-mode=explicit", *[f"--load-model={name}" for name in models])
        )
        cls.client = cls.make_client(cls.server)
        cls.addClassCleanup(cls.client.close)

    def tensor(self, name, values, data_type, **options):
        tensor = self.library.InferInput(name, list(values.shape), data_type)
        tensor.set_data_from_numpy(values, **options)
        return tensor

    def test_health_and_metadata(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        self.assertTrue(self.client.is_model_ready("two"))
        self.assertTrue(self.client.is_model_ready("two", "1"))
        metadata = self.document(self.client.get_server_metadata())
        self.assertIn("binary_tensor_data", metadata["extensions"])
        metadata = self.document(self.client.get_model_metadata("two"))
        self.assertEqual([each["name"] for each in metadata["inputs"]], ["INPUT0", "INPUT1"])
        config = self.document(self.client.get_model_config("two"))
        config = config.get("config", config)
        self.assertEqual(config["max_batch_size"], 8)

    def document(self, answer):
        if isinstance(answer, (dict, list)):
            return answer
        from google.protobuf import json_format

        return json_format.MessageToDict(answer, preserving_proto_field_name=True)

    def test_every_element_type(self):
        for data_type, values in TYPES.items():
            with self.subTest(data_type):
                values = values.reshape(1, 3)
                result = self.client.infer(f"type_{data_type.lower()}", [self.tensor("INPUT0", values, data_type)])
                output = result.as_numpy("OUTPUT0")
                self.assertEqual(output.shape, (1, 3))
                np.testing.assert_array_equal(output.astype(values.dtype), values)

    def test_batches_and_empty_tensors(self):
        for shape in ((8, 5), (3, 0), (1, 1)):
            values = np.arange(shape[0] * shape[1], dtype=np.float32).reshape(shape)
            result = self.client.infer("type_fp32", [self.tensor("INPUT0", values, "FP32")])
            np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), values)
        values = np.arange(6, dtype=np.float32).reshape(3, 2)
        result = self.client.infer("unbatched", [self.tensor("INPUT0", values, "FP32")])
        np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), values)

    def two(self):
        floats, integers = np.full((1, 4), 1.5, np.float32), np.arange(4, dtype=np.int32).reshape(1, 4)
        return [self.tensor("INPUT0", floats, "FP32"), self.tensor("INPUT1", integers, "INT32")]

    def test_requested_outputs_id_and_parameters(self):
        outputs = [self.library.InferRequestedOutput("OUTPUT1")]
        result = self.client.infer("two", self.two(), outputs=outputs, request_id="r/1", priority=1, timeout=1_000_000)
        answer = self.document(result.get_response())
        self.assertEqual([each["name"] for each in answer["outputs"]], ["OUTPUT1"])
        self.assertEqual(answer["id"], "r/1")
        self.assertEqual(answer["model_version"], "1")
        self.assertIsNone(result.as_numpy("OUTPUT0"))

    def test_classification(self):
        values = np.array([[0.5, 3, -1]], np.float32)
        outputs = [self.library.InferRequestedOutput("OUTPUT0", class_count=2)]
        result = self.client.infer("labels", [self.tensor("INPUT0", values, "FP32")], outputs=outputs)
        self.assertEqual(result.as_numpy("OUTPUT0").tolist(), [[b"3.000000:1", b"0.500000:0"]])

    def test_compression(self):
        values = np.zeros((8, 1000), np.float32)
        for algorithm in ("gzip", "deflate"):
            options = {"compression_algorithm": algorithm}
            if self.is_http:
                options = {"request_compression_algorithm": algorithm, "response_compression_algorithm": algorithm}
            result = self.client.infer("type_fp32", [self.tensor("INPUT0", values, "FP32")], **options)
            np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), values)

    def test_statistics_and_index(self):
        self.client.infer("two", self.two())
        statistics = self.document(self.client.get_inference_statistics("two"))["model_stats"][0]
        self.assertGreaterEqual(int(statistics["inference_stats"]["success"]["count"]), 1)
        index = self.document(self.client.get_model_repository_index())
        index = index["models"] if isinstance(index, dict) else index
        self.assertIn(("two", "READY"), [(each["name"], each.get("state")) for each in index])

    def test_unload_and_load(self):
        self.client.unload_model("unbatched")
        self.assertFalse(self.client.is_model_ready("unbatched"))
        self.client.load_model("unbatched")
        self.assertTrue(self.client.is_model_ready("unbatched"))
        self.fails("failed to load 'nosuch'", lambda: self.client.load_model("nosuch"))

    def test_load_with_a_configuration_and_with_files(self):
        config = json.dumps(
            {"backend": "identity", "max_batch_size": 2,
             "input": [{"name": "INPUT0", "data_type": "TYPE_FP32", "dims": ["-1"]}],
             "output": [{"name": "OUTPUT0", "data_type": "TYPE_FP32", "dims": [-1]}]}
        )  # fmt: skip
        self.client.load_model("labels", config=config)
        answer = self.document(self.client.get_model_config("labels"))
        self.assertEqual(answer.get("config", answer)["max_batch_size"], 2)
        self.client.load_model("labels")
        answer = self.document(self.client.get_model_config("labels"))
        self.assertEqual(answer.get("config", answer)["max_batch_size"], 8)
        files = {"file:1/note": b"\0\xff", "file:2/note": b""}
        self.client.load_model("brought", config=config, files=files)
        metadata = self.document(self.client.get_model_metadata("brought"))
        self.assertEqual(metadata["versions"], ["2"])
        self.client.unload_model("brought")
        self.fails("no path of a file", lambda: self.client.load_model("x", config=config, files={"file:../y": b""}))
        self.fails("no path of a file", lambda: self.client.load_model("x", config=config, files={"file:/1/y": b""}))
        self.fails("did you mean", lambda: self.client.load_model("labels", config='{"max_batchsize": 1}'))
        self.fails("1:2", lambda: self.client.load_model("labels", config="{"))
        self.assertTrue(self.client.is_model_ready("labels"))

    def fails(self, text, body):
        with self.assertRaises(InferenceServerException) as caught:
            body()
        self.assertIn(text, str(caught.exception))

    def test_errors(self):
        self.fails("unknown model", lambda: self.client.infer("nosuch", self.two()))
        self.fails("version 7", lambda: self.client.infer("two", self.two(), model_version="7"))
        self.fails("missing required input(s) ['INPUT1']", lambda: self.client.infer("two", self.two()[:1]))
        wrong = self.tensor("INPUT0", np.zeros((1, 3), np.int32), "INT32")
        self.fails("expects 'FP32'", lambda: self.client.infer("type_fp32", [wrong]))
        large = self.tensor("INPUT0", np.zeros((9, 3), np.float32), "FP32")
        self.fails("must be <= 8", lambda: self.client.infer("type_fp32", [large]))
        self.fails("shared memory is disabled", lambda: self.client.register_system_shared_memory("r", "/r", 8))

    def test_log_settings(self):
        settings = self.document(self.client.get_log_settings())
        settings = settings.get("settings", settings)
        self.assertIn("log_verbose_level", settings)
        self.fails("disabled", lambda: self.client.update_log_settings({"log_verbose_level": 1}))


class HTTPCases(Cases):
    is_http = True
    library = tritonclient.http

    def test_text_and_binary_both_ways(self):
        values = np.array([[0.1, -2.5, 1e30]], np.float32)
        for binary_in in (True, False):
            for binary_out in (True, False):
                outputs = [self.library.InferRequestedOutput("OUTPUT0", binary_data=binary_out)]
                tensor = self.tensor("INPUT0", values, "FP32", binary_data=binary_in)
                result = self.client.infer("type_fp32", [tensor], outputs=outputs)
                np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), values)


class HTTPClient(HTTPCases, unittest.TestCase):
    @staticmethod
    def make_client(server):
        return tritonclient.http.InferenceServerClient(f"127.0.0.1:{server.http_port}", concurrency=8)

    def test_many_at_once(self):
        values = [np.full((1, 4), index, np.float32) for index in range(100)]
        calls = [self.client.async_infer("type_fp32", [self.tensor("INPUT0", each, "FP32")]) for each in values]
        for call, expected in zip(calls, values):
            np.testing.assert_array_equal(call.get_result().as_numpy("OUTPUT0"), expected)


class HTTPAsyncClient(HTTPCases, unittest.TestCase):
    @staticmethod
    def make_client(server):
        return Blocking(lambda: tritonclient.http.aio.InferenceServerClient(f"127.0.0.1:{server.http_port}"))


class GRPCClient(Cases, unittest.TestCase):
    library = tritonclient.grpc

    @staticmethod
    def make_client(server):
        return tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{server.grpc_port}")

    def test_many_at_once(self):
        answers = queue.Queue()
        for index in range(100):
            tensor = self.tensor("INPUT0", np.full((1, 4), index, np.float32), "FP32")
            self.client.async_infer(
                "type_fp32", [tensor], callback=lambda result, error: answers.put((result, error)), request_id=str(index)
            )
        for _ in range(100):
            result, error = answers.get(timeout=30)
            self.assertIsNone(error)
            self.assertEqual(result.as_numpy("OUTPUT0")[0, 0], int(result.get_response().id))

    def test_stream(self):
        answers = queue.Queue()
        self.client.start_stream(callback=lambda result, error: answers.put((result, error)))
        tensor = self.tensor("INPUT0", np.ones((1, 4), np.float32), "FP32")
        for index in range(20):
            self.client.async_stream_infer(
                "type_fp32", [tensor], request_id=str(index), enable_empty_final_response=index % 2 == 1
            )
        self.client.async_stream_infer("nosuch", [tensor], request_id="bad")
        for index in range(20):
            result, error = answers.get(timeout=30)
            self.assertIsNone(error)
            response = result.get_response()
            self.assertEqual(response.id, str(index))
            is_final = response.parameters["triton_final_response"].bool_param
            self.assertEqual(is_final, index % 2 == 1)
        result, error = answers.get(timeout=30)
        self.assertIn("unknown model", str(error))
        self.client.stop_stream()

    def test_deadline(self):
        tensor = self.tensor("INPUT0", np.ones((1, 4), np.float32), "FP32")
        result = self.client.infer("type_fp32", [tensor], client_timeout=30)
        self.assertIsNotNone(result)


class GRPCAsyncClient(Cases, unittest.TestCase):
    library = tritonclient.grpc

    @staticmethod
    def make_client(server):
        return Blocking(lambda: tritonclient.grpc.aio.InferenceServerClient(f"127.0.0.1:{server.grpc_port}"))
