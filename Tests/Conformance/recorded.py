"""What Triton answered to recorded requests, asked again. Needs ../shared/wire."""

import base64
import json
import unittest

from server import BACKENDS, SHARED, Server

WIRE = SHARED / "wire"

# Bodies with what is this server's own: they are compared by the kinds of their values.
BY_SHAPE = {
    "server metadata", "stats of a fresh model", "statistics of a fresh model", "all stats", "repository index",
    "model config", "log settings",
}  # fmt: skip

# Requests for the model that computes with strings, which only one of the engines can.
STRING_MODEL = "simple_string"
RUNS_STRINGS = any((BACKENDS / "onnxruntime").glob("libonnxruntime.so*"))

# Where several inputs are wrong Triton names the one that its hash table has first.
ANY_INPUT = {"wrong type", "wrong shape", "unknown input", "batches differ"}

# Where this server says more exactly what is wrong than Triton, which counts the elements it could read.
CLEARER = {
    "string length past the end":
        "[request id: <id_unknown>] incomplete string data for inference input 'INPUT0' for model 'simple_string': tensor "
        "'INPUT0': the element at byte 0 reaches over the end of its 86 bytes",
}  # fmt: skip


def kinds(value):
    """A document with its values replaced by their kinds."""
    if isinstance(value, dict):
        return {key: kinds(each) for key, each in value.items()}
    if isinstance(value, list):
        return [kinds(value[0])] if value else []
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def same_kinds(expected, actual):
    """Whether `actual` has all that `expected` has, of the same kinds; an empty list fits any."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return all(key in actual and same_kinds(each, actual[key]) for key, each in expected.items())
    if isinstance(expected, list) and isinstance(actual, list):
        return not expected or not actual or same_kinds(expected[0], actual[0])
    return kinds(expected) == kinds(actual)


def without_input(text):
    return text.replace("INPUT0", "INPUT").replace("INPUT1", "INPUT")


def body_bytes(body):
    """A recorded body: text whose characters are bytes, or base64."""
    if "base64" in body:
        return base64.b64decode(body["base64"])
    return body.get("text", "").encode("utf-8" if body.get("encoding") == "utf-8" else "latin-1")

# What all of Triton's releases answer, and clients go by, where the recording is of a version between two releases. (`false` is
# left out of a message.)
RELEASES_SAY = {"unknown model ready": {}}
RELEASES_ANSWER = {"unknown model ready": 400}


@unittest.skipUnless(WIRE.is_dir(), f"{WIRE} is not there")
class Recorded(unittest.TestCase):
    program = ""

    @classmethod
    def setUpClass(cls):
        names = ("simple", "simple_int8") + (STRING_MODEL,) * RUNS_STRINGS
        models = {name: WIRE / "model_repository" / name for name in names}
        models["identity_fp32"] = (
            'backend: "identity"\nmax_batch_size: 8\n'
            'input [ { name: "INPUT0" data_type: TYPE_FP32 dims: [ 16 ] } ]\n'
            'output [ { name: "OUTPUT0" data_type: TYPE_FP32 dims: [ 16 ] } ]\n'
        )
        # Triton has no page.
        cls.server = cls.enterClassContext(Server(cls.program, models, "--page=off"))
        cls.recording = json.loads((WIRE / "reference.json").read_text())

    def test_http(self):
        for case in self.recording["http"]:
            if STRING_MODEL in case["request"]["path"] and not RUNS_STRINGS:
                continue
            with self.subTest(case["name"]):
                self.check_http(case)

    def check_http(self, case):
        request, expected = case["request"], case["response"]
        status, headers, body = self.server.request(
            request["method"], request["path"], body_bytes(request["body"]), request["headers"]
        )
        if "better" in case:
            self.assertEqual(status, case["better"], body)
            self.assertTrue(json.loads(body)["error"])
            return
        self.assertEqual(status, RELEASES_ANSWER.get(case["name"], expected["status"]), body)
        for name, value in expected["headers"].items():
            if name == "Inference-Header-Content-Length":
                self.assertEqual(body[: int(headers[name])].count(b"}"), body_bytes(expected["body"]).count(b"}"))
            else:
                self.assertEqual(headers.get(name), value)
        self.check_body(case["name"], body_bytes(expected["body"]), body)

    def check_body(self, name, expected, actual):
        if name in CLEARER:
            self.assertEqual(json.loads(actual), {"error": CLEARER[name]})
        elif name in BY_SHAPE:
            self.assertTrue(same_kinds(json.loads(expected), json.loads(actual)), actual)
        elif expected.startswith((b"{", b"[")) and b"\0" not in expected:
            expected, actual = json.loads(expected), json.loads(actual)
            if name in ANY_INPUT:
                self.assertEqual(list(actual), ["error"])
                self.assertEqual(without_input(actual["error"])[:60], without_input(expected["error"])[:60])
            else:
                self.assertEqual(actual, expected)
        else:
            self.assertEqual(actual, expected)

    def test_grpc(self):
        try:
            import grpc
            from google.protobuf import json_format
            from tritonclient.grpc import service_pb2, service_pb2_grpc
        except ImportError as error:
            self.skipTest(str(error))
        channel = grpc.insecure_channel(f"127.0.0.1:{self.server.grpc_port}")
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        for case in self.recording["grpc"]:
            with self.subTest(case["name"]):
                method = getattr(stub, case["rpc"])
                message = getattr(service_pb2, case["rpc"] + "Request")()
                json_format.ParseDict(case["request"], message)
                expected = case["response"]
                try:
                    answer = json_format.MessageToDict(method(message, timeout=30), preserving_proto_field_name=True)
                except grpc.RpcError as error:
                    self.check_grpc_error(case, error.code().name, error.details())
                    continue
                if case["name"] in RELEASES_SAY:
                    self.assertEqual(answer, RELEASES_SAY[case["name"]])
                    continue
                self.assertEqual(expected["code"], "OK", answer)
                if case["name"] in BY_SHAPE:
                    self.assertTrue(set(expected["message"]) <= set(answer), answer)
                else:
                    self.assertEqual(answer, expected["message"])
        channel.close()

    def check_grpc_error(self, case, code, details):
        expected = case["response"]
        self.assertEqual(code, case.get("better", expected["code"]), details)
        if "better" in case:
            self.assertTrue(details)
        elif case["name"] in ANY_INPUT:
            self.assertEqual(without_input(details)[:60], without_input(expected["details"])[:60])
        elif case["name"] != "shared memory status":
            self.assertEqual(details, expected["details"])
