"""What stands in for stores: moto's S3, a proxy that makes trouble, and small servers."""

import http.client
import http.server
import logging
import os
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from server import Server, identity

SECRET = "never-to-be-shown-0123456789"
# No test asks the metadata of a real machine, and none takes what its user has.
QUIET = {
    "AWS_EC2_METADATA_DISABLED": "true", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "",
    "AWS_PROFILE": "", "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_REGION": "",
    "AWS_DEFAULT_REGION": "", "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_S3": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_CA_BUNDLE": "",
    "NO_GCE_CHECK": "true", "GOOGLE_APPLICATION_CREDENTIALS": "", "AZURE_STORAGE_CONNECTION_STRING": "",
}  # fmt: skip


class Threaded(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Clients that go, as some are meant to, are no news."""


class Endpoint:
    """A server on a port of its own, for `with`."""

    def __init__(self, handler, tls=None):
        self.server = Threaded(("127.0.0.1", 0), handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def content(self, body, **headers):
        """With ranges, as stores have them."""
        wanted = self.headers.get("Range")
        if not wanted:
            return self.answer(200, body, **headers)
        first, last = wanted.removeprefix("bytes=").split("-")
        first, last = int(first), int(last) if last else len(body) - 1
        self.answer(206, body[first : last + 1], Content_Range=f"bytes {first}-{last}/{len(body)}", **headers)


class Trouble:
    """A proxy before a store. What it does to a request, `plan(path)` says: None, 503, ("cut", bytes), ("slow", pause)."""

    def __init__(self, port, plan):
        self.port, self.plan = port, plan
        # (path, Range) of each request.
        self.requests = []
        self.lock = threading.Lock()
        trouble = self

        class Proxy(Handler):
            def do_GET(self):
                trouble.serve(self)

        self.endpoint = Endpoint(Proxy)
        self.url = self.endpoint.url

    def __enter__(self):
        self.endpoint.__enter__()
        return self

    def __exit__(self, *arguments):
        self.endpoint.__exit__(*arguments)

    def ranges(self):
        with self.lock:
            return [wanted for _, wanted in self.requests if wanted]

    def serve(self, handler):
        with self.lock:
            self.requests.append((handler.path, handler.headers.get("Range")))
            what = self.plan(handler.path)
        if what == 503:
            return handler.answer(503, b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", handler.path, headers=dict(handler.headers))
        response = connection.getresponse()
        body = response.read()
        connection.close()
        headers = {name.replace("-", "_"): value for name, value in response.getheaders()}
        for name in ("Content_Length", "Connection", "Date", "Server"):
            headers.pop(name, None)
        if what is None or response.status >= 300:
            return handler.answer(response.status, body, **headers)
        handler.send_response(response.status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        kind, number = what
        if kind == "cut":
            handler.wfile.write(body[:number])
            handler.wfile.flush()
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return None
        for start in range(0, len(body), 65536):
            handler.wfile.write(body[start : start + 65536])
            handler.wfile.flush()
            time.sleep(number)
        return None


class StoreTest(unittest.TestCase):
    """Starts servers with a cache folder of their own, and looks through all that they say for the secret."""

    program = ""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.cache = self.folder / "cache"

    def environment(self, **more):
        return {**QUIET, "HOME": str(self.folder), **more}

    def server(self, repository, *flags, **environment):
        server = StoreServer(self.program, repository, f"--model-cache-directory={self.cache}",
                        "--log-verbose=1", *flags)  # fmt: skip
        server.environment = self.environment(**environment)
        return Watched(server, self)

    def refusal(self, repository, *flags, **environment):
        """What a server says that does not start."""
        command = [self.program, "serve", f"--model-repository={repository}", "--http-port=0", "--allow-grpc=false",
                   "--allow-metrics=false", f"--model-cache-directory={self.cache}", "--log-verbose=1", *flags]  # fmt: skip
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=60, env={**os.environ, **self.environment(**environment)}
        )
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertNotIn(SECRET, result.stderr + result.stdout)
        return result.stderr.strip().splitlines()[-1]

    def copies(self):
        """The files that models are read from, by path below their repository."""
        return {
            str(path.relative_to(path.parents[len(path.relative_to(self.cache).parts) - 3])): path
            for path in self.cache.rglob("*")
            if path.is_file() and ".state" not in path.parts
        }


class StoreServer(Server):
    """A server of one repository, which is no folder."""

    def __init__(self, program, repository, *flags):
        super().__init__(program, {}, *flags)
        self.repository = repository


class Watched:
    def __init__(self, server, test):
        self.server, self.test = server, test

    def __enter__(self):
        self.server.start()
        try:
            self.server.wait_until_ready()
        except BaseException:
            self.server.end()
            raise
        return self.server

    def __exit__(self, kind, error, trace):
        status, text = self.server.end()
        self.test.assertNotIn(SECRET, text)
        if status != 0 and error is None:
            raise AssertionError(f"the server ended with {status}:\n{text[-3000:]}")


def until(condition, what, server=None):
    """Waits for what another process does."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within a minute: {what}\n{server.text()[-3000:] if server else ''}")


class S3Test(StoreTest):
    """With moto's S3, where it is there."""

    @classmethod
    def setUpClass(cls):
        try:
            import boto3
            from botocore.config import Config
            from moto.server import ThreadedMotoServer
        except ImportError:
            raise unittest.SkipTest("there is no moto: Scripts/deps --storage") from None
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        cls.moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        cls.moto.start()
        cls.addClassCleanup(cls.moto.stop)
        cls.port = cls.moto.get_host_and_port()[1]
        cls.url = f"http://127.0.0.1:{cls.port}"
        config = Config(region_name="us-east-1", s3={"addressing_style": "path"}, proxies={})
        cls.make = staticmethod(
            lambda service: boto3.client(
                service, endpoint_url=cls.url, aws_access_key_id="maker", aws_secret_access_key="maker", config=config
            )
        )
        cls.s3 = cls.make("s3")

    def setUp(self):
        super().setUp()
        # A bucket for each test.
        self.bucket = f"bucket-{self.id().split('.')[-1].replace('_', '-')[:50].strip('-')}"
        self.s3.create_bucket(Bucket=self.bucket)

    def put(self, key, body=b""):
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def put_model(self, name, versions=(1,), **options):
        for version in versions:
            self.put(f"models/{name}/{version}/")
        self.put(f"models/{name}/config.pbtxt", identity(["FP32"], **options).encode())

    def access(self, url=None):
        return {"AWS_ENDPOINT_URL": url or self.url, "AWS_ACCESS_KEY_ID": "maker", "AWS_SECRET_ACCESS_KEY": SECRET}
