"""TLS, Unix domain sockets, and parts of the protocol that need a key."""

import http.client
import json
import shutil
import socket
import ssl
import subprocess
import tempfile
import unittest
from pathlib import Path

import grpc
import tritonclient.grpc
from raw_sockets import infer_body
from server import Server, identity
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

MODELS = {"fp32": identity(["FP32"])}


def make_certificate(folder, name):
    """A certificate that signs itself, for 127.0.0.1; the paths of certificate and key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


@unittest.skipUnless(shutil.which("openssl"), "openssl is not there to make certificates")
class TLS(unittest.TestCase):
    program = ""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="halcyon-tls-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.server_pair = make_certificate(self.folder, "server")

    def flags(self, mutual=None):
        flags = []
        for port in ("http", "grpc"):
            flags += [f"--{port}-use-ssl=true", f"--{port}-server-cert={self.server_pair[0]}",
                      f"--{port}-server-key={self.server_pair[1]}"]  # fmt: skip
            if mutual:
                flags += [f"--{port}-use-ssl-mutual=true", f"--{port}-root-cert={mutual}"]
        return flags

    def start(self, *flags):
        server = Server(self.program, MODELS, *flags)
        server.get = lambda path: self.get(server, path, self.client_pair)
        return self.enterContext(server)

    client_pair = None

    def get(self, server, path, pair=None):
        context = ssl.create_default_context(cafile=self.server_pair[0])
        if pair:
            context.load_cert_chain(*pair)
        connection = http.client.HTTPSConnection("127.0.0.1", server.http_port, timeout=10, context=context)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def grpc_client(self, server, pair=None):
        return tritonclient.grpc.InferenceServerClient(
            f"127.0.0.1:{server.grpc_port}", ssl=True, root_certificates=str(self.server_pair[0]),
            certificate_chain=str(pair[0]) if pair else None, private_key=str(pair[1]) if pair else None,
        )  # fmt: skip

    def test_tls_and_new_certificates(self):
        server = self.start(*self.flags())
        self.assertEqual(self.get(server, "/v2/health/live")[0], 200)
        self.assertTrue(self.grpc_client(server).is_server_live())
        old = self.server_pair[0].read_bytes()
        make_certificate(self.folder, "server")
        self.assertNotEqual(old, self.server_pair[0].read_bytes())
        # Clients that trust only the new one get in, without a restart.
        self.assertEqual(self.get(server, "/v2/health/live")[0], 200)
        self.server_pair[0].write_text("no certificate")
        self.assertIn("the old ones stay", self.after_a_connection(server))

    def after_a_connection(self, server):
        with socket.create_connection(("127.0.0.1", server.http_port)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            connection.recv(100)
        return server.text()

    def test_mutual(self):
        self.client_pair = make_certificate(self.folder, "client")
        stranger = make_certificate(self.folder, "stranger")
        server = self.start(*self.flags(mutual=self.client_pair[0]))
        self.assertTrue(self.grpc_client(server, self.client_pair).is_server_live())
        for pair in (None, stranger):
            with self.assertRaises((OSError, http.client.HTTPException)):
                self.get(server, "/v2/health/live", pair)


class UnixHTTPConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class UnixSockets(unittest.TestCase):
    program = ""

    def test_http_and_grpc(self):
        folder = Path(tempfile.mkdtemp(prefix="halcyon-unix-"))
        self.addCleanup(shutil.rmtree, folder)
        paths = {"http": f"{folder}/http.sock", "grpc": f"{folder}/grpc.sock"}
        # A socket that a process left behind is in nobody's way.
        left = socket.socket(socket.AF_UNIX)
        left.bind(paths["http"])
        left.close()
        server = Server(
            self.program, MODELS, f"--http-address=unix:{paths['http']}", f"--grpc-address=unix:{paths['grpc']}"
        )

        def get(path):
            connection = UnixHTTPConnection(paths["http"])
            try:
                connection.request("GET", path)
                response = connection.getresponse()
                return response.status, dict(response.getheaders()), response.read()
            finally:
                connection.close()

        server.get = get
        with server:
            channel = grpc.insecure_channel(f"unix:{paths['grpc']}")
            stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            self.assertTrue(stub.ServerLive(service_pb2.ServerLiveRequest(), timeout=10).live)
            channel.close()
        self.assertFalse(any(folder.iterdir()), "the sockets are gone with the server")


class Restricted(unittest.TestCase):
    program = ""

    # One path and one call of each part of the protocol.
    PATHS = {
        "metadata": ("GET", "/v2"), "inference": ("POST", "/v2/models/fp32/infer"),
        "shared-memory": ("GET", "/v2/systemsharedmemory/status"), "model-config": ("GET", "/v2/models/fp32/config"),
        "model-repository": ("POST", "/v2/repository/index"), "statistics": ("GET", "/v2/models/stats"),
        "logging": ("GET", "/v2/logging"), "trace": ("GET", "/v2/trace/setting"),
    }  # fmt: skip

    def test_no_route_goes_round_the_key(self):
        parts = ",".join(self.PATHS)
        flags = [f"--http-restricted-api={parts}:x-key=secret", f"--grpc-restricted-protocol={parts}:key=secret"]
        with Server(self.program, MODELS, *flags) as server:
            paths = list(self.PATHS.values()) + [
                ("GET", "/v2/models/fp32"), ("GET", "/v2/models/fp32/versions/1"), ("GET", "/v2/models/%66p32/config"),
                ("POST", "/v2/models/fp32/versions/1/infer"), ("POST", "/v2/models/fp32/generate"),
                ("POST", "/v2/models/fp32/generate_stream"), ("POST", "/v2/repository/models/fp32/load"),
                ("POST", "/v2/repository/x/models/fp32/unload"), ("POST", "/v2/systemsharedmemory/region/r/register"),
                ("GET", "/v2/models/fp32/stats"), ("GET", "/v2/"), ("GET", "/v2/models/fp32/trace/setting"),
            ]  # fmt: skip
            for method, path in paths:
                with self.subTest(path):
                    self.assertEqual(server.request(method, path, infer_body())[0], 403)
                    status, _, _ = server.request(method, path, infer_body(), {"X-Key": "wrong"})
                    self.assertEqual(status, 403)
                    status, _, _ = server.request(method, path, infer_body(), {"X-Key": "secret"})
                    self.assertNotEqual(status, 403)
            self.assertEqual(server.get("/v2/health/live")[0], 200)
            self.check_grpc(server)

    def check_grpc(self, server):
        client = tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{server.grpc_port}")
        self.assertTrue(client.is_server_live())
        for call in (client.get_server_metadata, client.get_inference_statistics, client.get_model_repository_index,
                     client.get_log_settings, client.get_system_shared_memory_status):  # fmt: skip
            with self.assertRaises(InferenceServerException) as caught:
                call()
            self.assertIn("expecting header 'triton-grpc-protocol-key'", str(caught.exception))
        client.get_server_metadata(headers={"triton-grpc-protocol-key": "secret"})
        with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
            service = service_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"]
            for method in service.methods:
                if method.name in ("ServerLive", "ServerReady", "ModelReady"):
                    continue
                with self.subTest(method.name):
                    path = f"/{service.full_name}/{method.name}"
                    call = channel.stream_stream(path)(iter([b""]), timeout=10)
                    with self.assertRaises(grpc.RpcError) as caught:
                        list(call)
                    self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)


class Health(unittest.TestCase):
    """The standard health service, and reflection."""

    program = ""

    def test_health_and_reflection(self):
        with Server(self.program, MODELS) as server, grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
            check = channel.unary_unary("/grpc.health.v1.Health/Check")
            self.assertEqual(check(b"", timeout=10), b"\x08\x01")
            with self.assertRaises(grpc.RpcError) as caught:
                check(b"\x0a\x01x", timeout=10)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)
            watch = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"", timeout=10)
            self.assertEqual(next(watch), b"\x08\x01")
            watch.cancel()
            reflect = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
            listed, described = list(reflect(iter([b"\x3a\x00", b"\x1a\x12grpc_service.proto"]), timeout=10))
            self.assertIn(b"inference.GRPCInferenceService", listed)
            self.assertIn(b"ModelInferRequest", described)

    def test_generate(self):
        with Server(self.program, MODELS) as server:
            body = json.dumps({"INPUT0": [1.5, 2], "id": "q"})
            status, headers, answer = server.request("POST", "/v2/models/fp32/generate", body)
            self.assertEqual((status, json.loads(answer)["OUTPUT0"]), (200, [1.5, 2]), answer)
            status, headers, answer = server.request("POST", "/v2/models/fp32/generate_stream", body)
            self.assertTrue(headers["Content-Type"].startswith("text/event-stream"))
            self.assertTrue(answer.startswith(b"data: {"), answer)
            self.assertEqual(json.loads(answer[6:])["OUTPUT0"], [1.5, 2])
            status, _, answer = server.request("POST", "/v2/models/fp32/generate", '{"INPUT0": ["x"]}')
            self.assertEqual(status, 400, answer)


class Pings(unittest.TestCase):
    """Bare HTTP/2: what becomes of a client that pings too much."""

    program = ""
    PING, GO_AWAY = 6, 7

    def frames(self, connection):
        """The frames that come, as kind and payload, until the connection ends."""
        data = b""
        while chunk := connection.recv(65536):
            data += chunk
            while len(data) >= 9 and len(data) >= 9 + int.from_bytes(data[:3]):
                end = 9 + int.from_bytes(data[:3])
                yield data[3], data[9:end]
                data = data[end:]

    def send_pings(self, server, count):
        connection = socket.create_connection(("127.0.0.1", server.grpc_port), timeout=30)
        self.addCleanup(connection.close)
        ping = bytes([0, 0, 8, self.PING, 0, 0, 0, 0, 0]) + bytes(8)
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]) + ping * count)
        return self.frames(connection)

    def test_too_many_end_the_connection(self):
        with Server(self.program, MODELS) as server:
            frames = list(self.send_pings(server, 10))
        kind, payload = frames[-1]
        self.assertEqual((kind, int.from_bytes(payload[4:8]), payload[8:]), (self.GO_AWAY, 11, b"too_many_pings"))

    def test_as_many_as_allowed(self):
        with Server(self.program, MODELS, "--grpc-http2-max-ping-strikes=0") as server:
            answers = 0
            for kind, _ in self.send_pings(server, 50):
                answers += kind == self.PING
                if answers == 50:
                    break
            self.assertEqual(answers, 50)
