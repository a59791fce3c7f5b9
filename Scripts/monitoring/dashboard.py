"""The dashboard of Grafana: rows of panels, each panel a title, a unit and queries with their legends."""

from dataclasses import dataclass, field

from .queries import Queries

WIDTH, HEIGHT = 8, 8


@dataclass
class Panel:
    title: str
    unit: str
    # Pairs of a query and the text that names its lines.
    queries: list
    # What it says beyond the help texts of its metrics.
    text: str = ""
    # The metrics it shows; found out where it is made.
    names: list = field(default_factory=list)


# Metrics that no panel shows, and why.
UNSHOWN = {
    "nv_inference_first_response_histogram_ms": "off by default (--metrics-config histogram_latencies=true)",
    "nv_inference_request_summary_us": "off by default, and quantiles of several servers can't be added up",
    "nv_inference_queue_summary_us": "as above",
    "nv_inference_compute_input_summary_us": "as above",
    "nv_inference_compute_infer_summary_us": "as above",
    "nv_inference_compute_output_summary_us": "as above",
    "nv_cache_hit_summary_us": "as above",
    "nv_cache_miss_summary_us": "as above",
    "input_byte_size_counter": "Triton's name, into which nothing counts",
    "nv_inference_request_duration_us": "the histogram halcyon_request_duration_seconds says more",
    "nv_inference_queue_duration_us": "the histogram halcyon_queue_duration_seconds says more",
    "nv_inference_compute_input_duration_us": "the histogram halcyon_compute_input_duration_seconds says more",
    "nv_inference_compute_infer_duration_us": "the histogram halcyon_compute_infer_duration_seconds says more",
    "nv_inference_compute_output_duration_us": "the histogram halcyon_compute_output_duration_seconds says more",
}


def rows(q: Queries):
    """The rows by title. What belongs to a part that not every server has comes last."""

    def panel(title, unit, *queries, text=""):
        names = sorted(q.used - panel.seen)
        panel.seen |= q.used
        return Panel(title, unit, list(queries), text, names)

    panel.seen = set()
    request, queue = "halcyon_request_duration_seconds", "halcyon_queue_duration_seconds"
    yield "Requests", [
        panel("Answers", "reqps", (q.rate("nv_inference_request_success", "model"), "{{model}}")),
        panel(
            "Errors", "reqps", (q.rate("nv_inference_request_failure", "model, reason"), "{{model}} {{reason}}"),
            text="REJECTED and CANCELED are the client's or the queue's doing, BACKEND is the engine's.",
        ),
        panel(
            "Rejected", "reqps", (q.rate("halcyon_rejected_total", "model, reason"), "{{model}} {{reason}}"),
        ),
        panel(
            "Time of requests", "s",
            *((q.quantile(part, request, "model"), f"{{{{model}}}} {name}") for part, name in QUANTILES),
        ),
        panel(
            "Time in the queue", "s",
            *((q.quantile(part, queue, "model"), f"{{{{model}}}} {name}") for part, name in QUANTILES),
        ),
        panel(
            "Where the time goes, on the average", "s",
            (q.mean(queue), "queue"),
            (q.mean("halcyon_compute_input_duration_seconds"), "inputs"),
            (q.mean("halcyon_compute_infer_duration_seconds"), "engine"),
            (q.mean("halcyon_compute_output_duration_seconds"), "outputs"),
        ),
    ]  # fmt: skip
    yield "Queues, batches and instances", [
        panel("Requests that wait", "short", (q.value("nv_inference_pending_request_count", "model"), "{{model}}")),
        panel(
            "Busy instances", "percentunit",
            (f"{q.over_time('halcyon_instances_busy', 'model')} / {q.value('halcyon_instances', 'model')}", "{{model}}"),
        ),
        panel("Instances", "short", (q.value("halcyon_instances", "model"), "{{model}}")),
        panel(
            "Items and batches", "ops",
            (q.rate("nv_inference_count", "model"), "{{model}} items"),
            (q.rate("nv_inference_exec_count", "model"), "{{model}} batches"),
        ),
        panel("Items in a batch", "short", (q.mean("halcyon_batch_size", "model"), "{{model}}")),
        panel("What closes batches", "ops", (q.rate("halcyon_batch_reason_total", "reason"), "{{reason}}")),
        panel("Time of loading", "s", (q.value("nv_model_load_duration_secs", "model, instance"), "{{model}} {{instance}}")),
    ]  # fmt: skip
    yield "Connections and the machine", [
        panel("Connections", "short", (q.value("halcyon_connections", "instance", per_model=False), "{{instance}}")),
        panel(
            "Connections that were not taken", "ops",
            (q.rate("halcyon_connections_refused_total", "instance", per_model=False), "{{instance}} refused"),
            (q.rate("halcyon_accept_pauses_total", "instance", per_model=False), "{{instance}} rests"),
        ),
        panel(
            "Processors of the machine", "percentunit",
            (q.value("nv_cpu_utilization", "instance", per_model=False), "{{instance}}"),
        ),
        panel(
            "Memory of the machine", "bytes",
            (q.value("nv_cpu_memory_used_bytes", "instance", per_model=False), "{{instance}} used"),
            (q.value("nv_cpu_memory_total_bytes", "instance", per_model=False), "{{instance}} total"),
        ),
    ]  # fmt: skip
    yield "Cache of answers", [
        panel(
            "Found in the cache", "ops",
            (q.rate("nv_cache_num_hits_per_model", "model"), "{{model}} found"),
            (q.rate("nv_cache_num_misses_per_model", "model"), "{{model}} not found"),
        ),
        panel(
            "Time for the cache", "µs",
            (q.rate("nv_cache_hit_duration_per_model", "model"), "{{model}} found"),
            (q.rate("nv_cache_miss_duration_per_model", "model"), "{{model}} not found"),
            text="Microseconds in each second.",
        ),
        panel(
            "Size of the cache", "bytes",
            (q.value("halcyon_cache_used_bytes", "instance", per_model=False), "{{instance}} used"),
            (q.value("halcyon_cache_total_bytes", "instance", per_model=False), "{{instance}} total"),
        ),
        panel("Answers in the cache", "short", (q.value("halcyon_cache_entries", "instance", per_model=False), "{{instance}}")),
        panel(
            "Answers that made room", "ops",
            (q.rate("halcyon_cache_evictions_total", "instance", per_model=False), "{{instance}}"),
        ),
    ]  # fmt: skip
    gpu = "instance, gpu_uuid"
    yield "GPUs", [
        panel("GPUs at work", "percentunit", (q.value("nv_gpu_utilization", gpu, per_model=False), GPU_LEGEND)),
        panel(
            "Memory of GPUs", "bytes",
            (q.value("nv_gpu_memory_used_bytes", gpu, per_model=False), f"{GPU_LEGEND} used"),
            (q.value("nv_gpu_memory_total_bytes", gpu, per_model=False), f"{GPU_LEGEND} total"),
        ),
        panel(
            "Power of GPUs", "watt",
            (q.value("nv_gpu_power_usage", gpu, per_model=False), GPU_LEGEND),
            (q.value("nv_gpu_power_limit", gpu, per_model=False), f"{GPU_LEGEND} limit"),
        ),
        panel("Energy", "watt", (q.rate("nv_energy_consumption", gpu, per_model=False), GPU_LEGEND), text="Joules in each second."),
        panel(
            "Page-locked memory", "bytes",
            (q.value("nv_pinned_memory_pool_used_bytes", "instance", per_model=False), "{{instance}} used"),
            (q.value("nv_pinned_memory_pool_total_bytes", "instance", per_model=False), "{{instance}} total"),
        ),
    ]  # fmt: skip
    rest = [name for name, family in q.families.items() if name not in q.used and name not in UNSHOWN]
    if rest:
        yield "More", [panel(name, "short", (general(q, name), "{{model}} {{instance}}")) for name in rest]


QUANTILES = [(0.5, "median"), (0.95, "95 %"), (0.99, "99 %")]
GPU_LEGEND = "{{instance}} {{gpu_uuid}}"


def general(q, name):
    """A query for a metric of which nothing but its kind is known."""
    kind = q.families[name].kind
    if kind == "counter":
        return q.rate(name, "instance", per_model=False)
    if kind == "histogram":
        return q.quantile(0.99, name)
    q.family(name, "gauge", "summary")
    return q.summed(f"{name}{q.selector(per_model=False)}", "instance")


def document(families):
    """What Grafana imports."""
    q = Queries(families)
    panels, y, number = [], 0, 0
    for title, row in rows(q):
        number += 1
        panels.append({"id": number, "type": "row", "title": title, "collapsed": False, "panels": [],
                       "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}})  # fmt: skip
        y += 1
        for index, panel in enumerate(row):
            number += 1
            panels.append(drawn(panel, number, families, index % 3 * WIDTH, y + index // 3 * HEIGHT))
        y += (len(row) + 2) // 3 * HEIGHT
    return {
        "uid": "halcyon",
        "title": "Halcyon",
        "tags": ["halcyon", "inference"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "",
        "templating": {"list": [
            {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "current": {}},
            variable("job", "label_values(nv_inference_request_success, job)"),
            variable("instance", 'label_values(nv_inference_request_success{job=~"$job"}, instance)'),
            variable("model", 'label_values(nv_inference_request_success{job=~"$job",instance=~"$instance"}, model)'),
        ]},
        "annotations": {"list": []},
        "panels": panels,
    }  # fmt: skip


def variable(name, query):
    return {
        "name": name, "label": name, "type": "query", "query": {"query": query, "refId": name}, "definition": query,
        "datasource": {"type": "prometheus", "uid": "${datasource}"}, "refresh": 2, "sort": 1, "multi": True,
        "includeAll": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"},
    }  # fmt: skip


def drawn(panel, number, families, x, y):
    helps = [f"{name}: {families[name].help}" for name in panel.names]
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": "\n".join([panel.text, *helps] if panel.text else helps),
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "gridPos": {"x": x, "y": y, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, "custom": {"fillOpacity": 10}}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + index), "expr": query, "legendFormat": legend}
            for index, (query, legend) in enumerate(panel.queries)
        ],
    }  # fmt: skip
