"""Prometheus's alerts, and what an autoscaler's adapter asks it."""

from .queries import Queries


def alerts(families):
    """One group of alerts, as Prometheus's rule files have it."""
    q = Queries(families, "5m", is_dashboard=False)
    where = "instance, model"
    failures = q.rate("nv_inference_request_failure", where, 'reason=~"BACKEND|OTHER"')
    answers = q.rate("nv_inference_request_success", where)
    busy = f"{q.over_time('halcyon_instances_busy', where)} / {q.value('halcyon_instances', where)}"
    waiting = q.value("nv_inference_pending_request_count", where)
    memory = f"{q.value('nv_cpu_memory_used_bytes', 'instance')} / {q.value('nv_cpu_memory_total_bytes', 'instance')}"
    gpu = "instance, gpu_uuid"
    gpu_memory = f"{q.value('nv_gpu_memory_used_bytes', gpu)} / {q.value('nv_gpu_memory_total_bytes', gpu)}"
    no_instance = q.rate("halcyon_rejected_total", where, 'reason="no_instance"')
    rejected = q.rate("halcyon_rejected_total", where, 'reason!="no_instance"')
    refused = q.rate("halcyon_connections_refused_total", "instance")
    pauses = q.rate("halcyon_accept_pauses_total", "instance")
    share = "{{ $value | humanizePercentage }}"
    return [
        alert(
            "HalcyonFailures", f"{failures} / ({failures} + {answers}) > 0.01", "5m", "critical",
            "{{ $labels.model }} on {{ $labels.instance }} fails",
            f"{share} of its requests end with an error of the engine or of the server. The log names the reason.",
        ),
        alert(
            "HalcyonModelWithoutInstance", f"{no_instance} > 0", "1m", "critical",
            "{{ $labels.model }} on {{ $labels.instance }} has no instance left",
            "All its instances were lost, and requests to it are refused. Load it anew, or start the server anew.",
        ),
        alert(
            "HalcyonRequestsRejected", f"{rejected} > 0", "10m", "warning",
            "{{ $labels.model }} on {{ $labels.instance }} rejects requests",
            "{{ $value | humanize }} requests a second find a full queue or wait longer than they may: more replicas are "
            "needed, more instances, or larger batches.",
        ),
        alert(
            "HalcyonQueueTime", f"{q.mean('halcyon_queue_duration_seconds', where)} > 0.5", "10m", "warning",
            "requests to {{ $labels.model }} on {{ $labels.instance }} wait",
            "They wait {{ $value | humanizeDuration }} on the average before they run.",
        ),
        alert(
            "HalcyonSaturated", f"({busy} > 0.95) and {waiting} > 0", "15m", "warning",
            "all instances of {{ $labels.model }} on {{ $labels.instance }} are busy",
            f"They work {share} of the time, and requests wait.",
        ),
        alert(
            "HalcyonConnectionsRefused", f"{refused} + {pauses} > 0", "5m", "warning",
            "{{ $labels.instance }} does not take all connections",
            "There are more than --max-connections, or no file descriptors for them.",
        ),
        alert(
            "HalcyonMachineMemory", f"{memory} > 0.95", "10m", "warning",
            "the machine of {{ $labels.instance }} is short of memory",
            f"{share} of it is in use, by whatever runs there.",
        ),
        alert(
            "HalcyonGPUMemory", f"{gpu_memory} > 0.95", "10m", "warning",
            "the GPU {{ $labels.gpu_uuid }} of {{ $labels.instance }} is short of memory",
            f"{share} of it is in use.",
        ),
    ]  # fmt: skip


def alert(name, query, duration, severity, summary, description):
    return {
        "alert": name,
        "expr": query,
        "for": duration,
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "description": description},
    }


def groups(families):
    return {"groups": [{"name": "halcyon", "rules": alerts(families)}]}


def for_operator(families):
    """The same as the Prometheus operator takes it."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "halcyon", "labels": {"app.kubernetes.io/name": "halcyon"}},
        "spec": groups(families),
    }


# In seconds: twice what the HorizontalPodAutoscaler aims at.
LONGEST_QUEUE = 0.1


def adapter(families):
    """The rules of prometheus-adapter for what the HorizontalPodAutoscaler asks: both are numbers of a pod."""
    queue = Queries(families).family("halcyon_queue_duration_seconds", "histogram").name
    busy = Queries(families).family("halcyon_instances_busy", "gauge").name
    instances = Queries(families).family("halcyon_instances", "gauge").name
    labels, group = "<<.LabelMatchers>>", "<<.GroupBy>>"

    def rule(series, name, query):
        return {
            "seriesQuery": f'{series}{{namespace!="",pod!=""}}',
            "resources": {"overrides": {"namespace": {"resource": "namespace"}, "pod": {"resource": "pod"}}},
            "name": {"as": name},
            "metricsQuery": query,
        }

    # Without requests there is no mean; the smallest divisor makes it 0 in place of nothing, which an autoscaler would
    # take for a broken metric.
    # What is over twice the aim counts as twice: a queue says that there are too few pods, and its length does not say by how many.
    mean = (
        f"clamp_max(sum(rate({queue}_sum{{{labels}}}[1m])) by ({group}) / "
        f"clamp_min(sum(rate({queue}_count{{{labels}}}[1m])) by ({group}), 0.001), {LONGEST_QUEUE})"
    )
    share = (
        f"sum(avg_over_time({busy}{{{labels}}}[1m])) by ({group}) / clamp_min(sum({instances}{{{labels}}}) by ({group}), 1)"
    )
    return {
        "rules": [
            rule(f"{queue}_count", "halcyon_queue_seconds", mean),
            rule(busy, "halcyon_busy_share", share),
        ]
    }
