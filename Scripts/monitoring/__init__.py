"""A dashboard for Grafana and rules for Prometheus, made from the metrics that the code defines."""
