"""Tracing: the trace extension with the real clients, the files, and spans to a collector."""

import http.server
import json
import tempfile
import threading
import unittest
from pathlib import Path

import numpy as np
import tritonclient.grpc
import tritonclient.http
from raw_sockets import infer_body
from server import Server, identity
from tritonclient.utils import InferenceServerException

HTTP_POINTS = [
    "HTTP_RECV_START", "HTTP_RECV_END", "REQUEST_START", "QUEUE_START", "COMPUTE_START", "COMPUTE_INPUT_END",
    "COMPUTE_OUTPUT_START", "COMPUTE_END", "INFER_RESPONSE_COMPLETE", "REQUEST_END", "HTTP_SEND_START", "HTTP_SEND_END",
]  # fmt: skip
GRPC_POINTS = [
    {"HTTP_RECV_START": "GRPC_WAITREAD_START", "HTTP_RECV_END": "GRPC_WAITREAD_END"}.get(
        name, name.replace("HTTP_", "GRPC_")
    )
    for name in HTTP_POINTS
]


class Collector:
    """What a collector of OpenTelemetry is to the server: it takes spans by HTTP."""

    def __enter__(self):
        spans = self.spans = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for resource in document["resourceSpans"]:
                    for scope in resource["scopeSpans"]:
                        spans.extend(scope["spans"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        # Without a scheme, as Triton takes one too.
        self.url = f"127.0.0.1:{self.server.server_port}/v1/traces"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Tracing(unittest.TestCase):
    program = ""

    def start(self, *flags):
        models = {"fast": identity(["FP32"], dims="2"), "other": identity(["FP32"], dims="2")}
        server = Server(self.program, models, *flags)
        server.__enter__()
        self.addCleanup(lambda: server.folder.exists() and server.__exit__(None, None, None))
        return server

    def infer(self, server, model="fast", **request):
        body = infer_body(**request) if request else infer_body()
        return server.request("POST", f"/v2/models/{model}/infer", body)

    def infer_grpc(self, server, model="fast", headers=None):
        with tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{server.grpc_port}") as client:
            tensor = tritonclient.grpc.InferInput("INPUT0", [1, 2], "FP32")
            tensor.set_data_from_numpy(np.array([[1.5, 2]], np.float32))
            client.infer(model, [tensor], request_id="g", headers=headers)

    def trace(self, path):
        """The entries of a file by their trace."""
        traces = {}
        for entry in json.loads(path.read_text()):
            traces.setdefault(entry["id"], []).append(entry)
        return [traces[key] for key in sorted(traces)]

    def points(self, trace):
        return [stamp["name"] for entry in trace for stamp in entry.get("timestamps", [])]

    def test_files_show_every_stage(self):
        path = Path(self.enterContext(tempfile.TemporaryDirectory())) / "trace.json"
        server = self.start(
            f"--trace-config=triton,file={path}", "--trace-config=rate=1", "--trace-config=level=TIMESTAMPS",
            "--trace-config=level=TENSORS",
        )  # fmt: skip
        self.assertEqual(self.infer(server, id="h")[0], 200)
        self.infer_grpc(server)
        self.assertEqual(server.request("POST", "/v2/models/fast/infer", b'{"inputs":[]}')[0], 400)
        server.__exit__(None, None, None)
        first, second, third = self.trace(path)
        for trace, points, name in [(first, HTTP_POINTS, "h"), (second, GRPC_POINTS, "g")]:
            self.assertEqual(self.points(trace), points)
            times = [stamp["ns"] for entry in trace for stamp in entry.get("timestamps", [])]
            self.assertEqual(times, sorted(times))
            model = next(entry for entry in trace if "model_name" in entry)
            self.assertEqual((model["model_name"], model["model_version"], model["request_id"]), ("fast", 1, name))
            tensors = [(entry["activity"], entry["tensor"]["name"]) for entry in trace if "tensor" in entry]
            self.assertEqual(tensors, [("TENSOR_QUEUE_INPUT", "INPUT0"), ("TENSOR_BACKEND_OUTPUT", "OUTPUT0")])
        data = next(entry["tensor"] for entry in second if "tensor" in entry)
        self.assertEqual((data["data"], data["shape"], data["dtype"]), ("1.5,2.0", "1,2", "FP32"))
        self.assertIn("REQUEST_END", self.points(third))

    def test_settings_over_both_wires(self):
        server = self.start("--trace-config=triton,file=/dev/null", "--allow-trace-settings=true")
        web = tritonclient.http.InferenceServerClient(f"127.0.0.1:{server.http_port}")
        rpc = tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{server.grpc_port}")
        self.addCleanup(web.close)
        self.addCleanup(rpc.close)
        initial = {
            "trace_level": ["OFF"], "trace_rate": "1000", "trace_count": "-1", "log_frequency": "0",
            "trace_file": "/dev/null", "trace_mode": "triton",
        }  # fmt: skip
        self.assertEqual(web.get_trace_settings(), initial)
        changed = web.update_trace_settings("fast", {"trace_level": ["TIMESTAMPS"], "trace_rate": "5"})
        self.assertEqual(changed, {**initial, "trace_level": ["TIMESTAMPS"], "trace_rate": "5"})
        self.assertEqual(rpc.get_trace_settings("fast", as_json=True)["settings"]["trace_rate"], {"value": ["5"]})
        self.assertEqual(web.get_trace_settings("other"), initial)
        rpc.update_trace_settings(settings={"log_frequency": "9"})
        self.assertEqual(web.get_trace_settings("fast")["log_frequency"], "9")
        rpc.update_trace_settings("fast", {"trace_level": None, "trace_rate": None})
        self.assertEqual(web.get_trace_settings("fast"), {**initial, "log_frequency": "9"})
        for client in (web, rpc):
            with self.assertRaisesRegex(InferenceServerException, "Request for unknown model : nosuch"):
                client.get_trace_settings("nosuch")
            with self.assertRaisesRegex(InferenceServerException, "trace file location can not be updated"):
                client.update_trace_settings(settings={"trace_file": "/tmp/x"})
            with self.assertRaisesRegex(InferenceServerException, "Unable to parse 'trace_rate', got: x"):
                client.update_trace_settings(settings={"trace_rate": "x"})

    def test_clients_change_nothing_by_default(self):
        server = self.start()
        status, _, body = server.request("POST", "/v2/trace/setting", b'{"trace_rate":"1"}')
        self.assertEqual(status, 501)
        self.assertIn("--allow-trace-settings", json.loads(body)["error"])

    def test_spans_reach_a_collector(self):
        with Collector() as collector:
            server = self.start(
                "--trace-config=mode=opentelemetry", f"--trace-config=opentelemetry,url={collector.url}",
                "--trace-config=level=TIMESTAMPS", "--trace-config=rate=0",
            )  # fmt: skip
            self.infer(server)
            trace, span = "0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7"
            header = {"traceparent": f"00-{trace}-{span}-01"}
            server.request("POST", "/v2/models/fast/infer", infer_body(), header)
            self.infer_grpc(server, headers={"traceparent": f"00-{trace}-{span}-01"})
            server.__exit__(None, None, None)
        names = [each["name"] for each in collector.spans]
        self.assertEqual(
            sorted(names), sorted(["InferRequest", "compute", "fast"] * 2), "only the requests that belong to a trace"
        )
        events = {(each["name"], event["name"]) for each in collector.spans for event in each["events"]}
        for point in HTTP_POINTS + GRPC_POINTS:
            name = "fast" if point.startswith(("REQUEST", "QUEUE")) else "InferRequest"
            self.assertIn(("compute" if point.startswith("COMPUTE") else name, point), events)
        self.assertEqual({each["traceId"] for each in collector.spans}, {trace})
        roots = [each for each in collector.spans if each["name"] == "InferRequest"]
        self.assertEqual({each["parentSpanId"] for each in roots}, {span})
        for each in collector.spans:
            self.assertLessEqual(int(each["startTimeUnixNano"]), int(each["endTimeUnixNano"]))

    def test_a_collector_that_is_not_there_costs_nothing(self):
        server = self.start(
            "--trace-config=mode=opentelemetry", "--trace-config=opentelemetry,url=http://127.0.0.1:1/x",
            "--trace-config=level=TIMESTAMPS", "--trace-config=rate=1",
        )  # fmt: skip
        self.assertEqual(self.infer(server)[0], 200)
        server.process.terminate()
        self.assertEqual(server.process.wait(timeout=30), 0)
        self.assertIn("spans lost", server.text())
        server.__exit__(None, None, None)

    def test_start_errors(self):
        for flag, text in [
            ("level=TIMESTAMPS", "trace file name is not given"),
            ("level=ALL", "'ALL' is no trace level"),
            ("mode=jaeger", "mode is triton or opentelemetry"),
            ("speed=1", "no setting 'speed'"),
        ]:
            server = Server(self.program, {"fast": identity(["FP32"])}, f"--trace-config={flag}")
            with self.assertRaisesRegex(AssertionError, text), server:
                pass
