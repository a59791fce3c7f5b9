"""The manifests of Deployment/: built as a user builds them, and held against the published schemas and the program."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from functools import cache
from pathlib import Path

import kubernetes_validate
import yaml
from kubernetes_validate.utils import ValidationError
from server import ROOT, SHARED, Server, identity

DEPLOYMENT = ROOT / "Deployment"
OVERLAYS = ["kubernetes/overlays/cpu", "kubernetes/overlays/gpu", "kserve/overlays/cpu", "kserve/overlays/gpu"]
# Kubernetes' versions from the first with all that the manifests use (the action sleep) to the newest with a schema.
VERSIONS = ["1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"]
KUBECTL = Path(sys.executable).parent / "kubectl"
# What a connection has to leave in, of ServerProcess.stop.
FAREWELL = 3
IDENTITY = identity(["FP32"])
SHARED_MODEL = SHARED / "models" / "qa" / "simple.onnx"


@cache
def built(overlay):
    run = subprocess.run([KUBECTL, "kustomize", DEPLOYMENT / overlay], capture_output=True, text=True, check=False)
    if run.returncode != 0 or run.stderr.strip():
        raise AssertionError(f"kubectl kustomize {overlay}: {run.stderr}")
    return list(yaml.safe_load_all(run.stdout))


@cache
def of_kind(overlay, kind):
    found = [document for document in built(overlay) if document["kind"] == kind]
    return found[0] if found else None


class KServeTypes:
    """The types of KServe's Python package, read from its source: the package itself needs much that is not here."""

    def __init__(self):
        folder = next(Path(sys.prefix).glob("lib/python*/site-packages/kserve/models"))
        self.types = {}
        for file in folder.glob("v1*.py"):
            for node in ast.parse(file.read_text()).body:
                if isinstance(node, ast.ClassDef):
                    fields = {
                        statement.targets[0].id: ast.literal_eval(statement.value)
                        for statement in node.body
                        if isinstance(statement, ast.Assign) and statement.targets[0].id in ("openapi_types", "attribute_map")
                    }
                    if len(fields) == 2:
                        names = fields["attribute_map"]
                        self.types[node.name] = {names[key]: kind for key, kind in fields["openapi_types"].items()}

    def complaints(self, value, kind, path=""):
        if found := re.fullmatch(r"list\[(.*)\]", kind):
            if not isinstance(value, list):
                return [f"{path}: a list is wanted"]
            return [text for index, item in enumerate(value) for text in self.complaints(item, found[1], f"{path}/{index}")]
        if found := re.fullmatch(r"dict\(str, (.*)\)", kind):
            return [text for key, item in value.items() for text in self.complaints(item, found[1], f"{path}/{key}")]
        plain = {"str": str, "int": int, "bool": bool}
        if kind in plain:
            return [] if type(value) is plain[kind] else [f"{path}: {kind} is wanted, and there is {value!r}"]
        if kind in self.types:
            known = self.types[kind]
            unknown = [f"{path}: there is no '{key}' in {kind}" for key in value if key not in known]
            return unknown + [
                text
                for key, item in value.items()
                if key in known
                for text in self.complaints(item, known[key], f"{path}/{key}")
            ]
        return self.kubernetes(value, kind, path)

    @staticmethod
    def kubernetes(value, kind, path):
        """A type of Kubernetes itself: whatever can stand in a pod is looked at as a part of one."""
        specification = {"V1Container": {"containers": [value]}, "V1Volume": {"volumes": [value]}, "V1Toleration": {"tolerations": [value]}}
        if kind == "V1ObjectMeta":
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": value, "spec": {"containers": [{"name": "a"}]}}
        elif kind in specification:
            spec = {"containers": [{"name": "a"}], **specification[kind]}
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": spec}
        else:
            return [f"{path}: nothing here knows {kind}"]
        try:
            kubernetes_validate.validate(pod, VERSIONS[-1], strict=True)
        except ValidationError as error:
            return [f"{path}: {error.message}"]
        return []


class Schemas(unittest.TestCase):
    def test_what_kubernetes_knows_is_as_its_schemas_want_it(self):
        for overlay in OVERLAYS:
            for document in built(overlay):
                if "." in document["apiVersion"].split("/")[0] and not document["apiVersion"].startswith("networking.k8s.io"):
                    continue
                for version in VERSIONS:
                    with self.subTest(overlay=overlay, kind=document["kind"], version=version):
                        kubernetes_validate.validate(document, version, strict=True)

    def test_what_kserve_knows_is_as_its_types_want_it(self):
        types = KServeTypes()
        examples = [yaml.safe_load(file.read_text()) for file in sorted((DEPLOYMENT / "kserve" / "examples").glob("*.yaml"))]
        self.assertEqual(len(examples), 2)
        runtimes = built("kserve/overlays/cpu") + built("kserve/overlays/gpu")
        self.assertEqual(len(runtimes), 4)
        for document in examples + runtimes:
            version = document["apiVersion"].rsplit("/", 1)[1].capitalize()
            self.assertEqual(types.complaints(document, version + document["kind"]), [], document["metadata"]["name"])
        broken = {**runtimes[0], "spec": {**runtimes[0]["spec"], "supportedModelFormats": [{"name": "onnx", "auto": True}]}}
        self.assertEqual(len(types.complaints(broken, "V1alpha1ClusterServingRuntime")), 1)

    def test_what_the_operator_of_prometheus_knows_has_its_fields_only(self):
        known = {
            "ServiceMonitor": {"selector", "endpoints", "namespaceSelector", "jobLabel"},
            "PrometheusRule": {"groups"},
        }
        for overlay in OVERLAYS[:2]:
            for kind, fields in known.items():
                document = of_kind(overlay, kind)
                self.assertEqual(document["apiVersion"], "monitoring.coreos.com/v1")
                self.assertLessEqual(document["spec"].keys(), fields)
            monitor = of_kind(overlay, "ServiceMonitor")["spec"]["endpoints"][0]
            ports = {port["name"] for port in of_kind(overlay, "Service")["spec"]["ports"]}
            self.assertIn(monitor["port"], ports)

    def test_nothing_is_left_of_a_base(self):
        self.assertEqual({document["kind"] for document in built(OVERLAYS[0])} >= {
            "Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler", "NetworkPolicy", "ServiceMonitor"}, True)  # fmt: skip


class Fitting(unittest.TestCase):
    """What has to fit each other."""

    def containers(self):
        for overlay in OVERLAYS[:2]:
            spec = of_kind(overlay, "Deployment")["spec"]["template"]["spec"]
            yield spec, spec["containers"][0], spec["terminationGracePeriodSeconds"]
        graces = [
            yaml.safe_load(file.read_text())["spec"]["predictor"]["terminationGracePeriodSeconds"]
            for file in (DEPLOYMENT / "kserve" / "examples").glob("*.yaml")
        ]
        for document in built("kserve/overlays/cpu") + built("kserve/overlays/gpu"):
            yield document["spec"], document["spec"]["containers"][0], min(graces)

    def test_nothing_is_killed_before_it_has_had_its_time(self):
        for _, container, grace in self.containers():
            exit_timeout = int(flag(container, "exit-timeout-secs"))
            wait = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 5)
            self.assertGreater(grace, wait + FAREWELL + exit_timeout)

    def test_a_pod_is_out_of_the_load_balancers_before_it_stops(self):
        for overlay in OVERLAYS[:2]:
            container = of_kind(overlay, "Deployment")["spec"]["template"]["spec"]["containers"][0]
            probe = container["readinessProbe"]
            noticed = probe["periodSeconds"] * probe["failureThreshold"]
            self.assertLess(noticed, container["lifecycle"]["preStop"]["sleep"]["seconds"])

    def test_pods_run_with_as_little_as_they_need(self):
        for _, container, _ in self.containers():
            security = container["securityContext"]
            self.assertTrue(security["readOnlyRootFilesystem"])
            self.assertFalse(security["allowPrivilegeEscalation"])
            self.assertEqual(security["capabilities"], {"drop": ["ALL"]})
            self.assertIn({"name": "temporary", "mountPath": "/tmp"}, container["volumeMounts"])

    def test_processors_are_the_same_in_requests_and_limits(self):
        for _, container, _ in self.containers():
            resources = container["resources"]
            self.assertEqual(resources["requests"]["cpu"], resources["limits"]["cpu"])

    def test_probes_and_services_name_ports_that_are_there(self):
        for _, container, _ in self.containers():
            names = {port["name"] for port in container["ports"]}
            numbers = {port["containerPort"] for port in container["ports"]}
            for probe in ("readinessProbe", "livenessProbe"):
                action = next(container[probe][key] for key in ("httpGet", "grpc", "tcpSocket") if key in container[probe])
                self.assertIn(action["port"], names | numbers)
        for overlay in OVERLAYS[:2]:
            ports = {port["name"] for port in of_kind(overlay, "Deployment")["spec"]["template"]["spec"]["containers"][0]["ports"]}
            for document in built(overlay):
                if document["kind"] == "Service":
                    self.assertLessEqual({port["targetPort"] for port in document["spec"]["ports"]}, ports)

    def test_the_autoscaler_asks_for_what_the_adapter_has(self):
        rules = yaml.safe_load((DEPLOYMENT / "monitoring" / "adapter.yaml").read_text())["rules"]
        metrics = of_kind(OVERLAYS[0], "HorizontalPodAutoscaler")["spec"]["metrics"]
        self.assertEqual({metric["pods"]["metric"]["name"] for metric in metrics}, {rule["name"]["as"] for rule in rules})

    def test_alerts_are_the_same_for_the_operator(self):
        rules = yaml.safe_load((DEPLOYMENT / "monitoring" / "alerts.yaml").read_text())
        self.assertEqual(of_kind(OVERLAYS[0], "PrometheusRule")["spec"], rules)


def flag(container, name):
    return next(text.split("=", 1)[1] for text in container["args"] if text.startswith(f"--{name}="))


class Started(unittest.TestCase):
    """The program takes the containers' arguments, and answers the probes."""

    program = ""

    def check(self, container, files):
        """The server as the container starts it, but for ports, addresses and where models lie."""
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        arguments = [text.replace("{{.Name}}", "people") for text in container["args"][1:] if not text.startswith(OWN)]
        # Beside the folder that the container would see there is one that the test's server always has.
        with Server(self.program, {"other": IDENTITY}, *arguments, f"--model-repository={folder}") as server:
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                if probe in container:
                    self.assertEqual(server.get(container[probe]["httpGet"]["path"])[0], 200, probe)
            tensor = {"name": "INPUT0", "datatype": "FP32", "shape": [1, 1], "data": [1]}
            status, _, body = server.request("POST", "/v2/models/people/infer", json.dumps({"inputs": [tensor]}))
            self.assertEqual((status, json.loads(body).get("model_name")), (200, "people"), body)

    def test_the_deployments_arguments_and_probes(self):
        container = of_kind(OVERLAYS[0], "Deployment")["spec"]["template"]["spec"]["containers"][0]
        self.check(container, {"people/config.pbtxt": IDENTITY, "people/1/none": ""})

    def test_kserves_arguments_and_probes_with_a_repository_and_with_a_model(self):
        container = built(OVERLAYS[2])[0]["spec"]["containers"][0]
        self.check(container, {"people/config.pbtxt": IDENTITY, "people/1/none": ""})
        self.check(container, {"config.pbtxt": IDENTITY, "1/none": ""})

    @unittest.skipUnless(SHARED_MODEL.is_file(), "there is no folder ../shared with models beside the clone")
    def test_kserves_arguments_with_a_file_and_nothing_around_it(self):
        container = built(OVERLAYS[2])[0]["spec"]["containers"][0]
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        shutil.copy(SHARED_MODEL, folder)
        arguments = [text.replace("{{.Name}}", "adder") for text in container["args"][1:] if not text.startswith(OWN)]
        with Server(self.program, {"other": IDENTITY}, *arguments, f"--model-repository={folder}") as server:
            status, _, body = server.get("/v2/models/adder")
            self.assertEqual((status, json.loads(body)["versions"]), (200, ["1"]))


OWN = ("--model-repository", "--http-port", "--grpc-port", "--metrics-port", "--http-address", "--grpc-address")
