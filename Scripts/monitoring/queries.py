"""Queries of Prometheus over families that exist, each used as its kind allows."""

# The selectors of the dashboard: what its variables have chosen. {label} puts more labels behind them.
CHOSEN = 'job=~"$job",instance=~"$instance"'
CHOSEN_MODEL = CHOSEN + ',model=~"$model"'
INTERVAL = "$__rate_interval"


class Queries:
    """Makes queries, and remembers which families they used. With `interval` other than Grafana's variable, and without
    `chosen`, they are for rules."""

    def __init__(self, families, interval=INTERVAL, is_dashboard=True):
        self.families = families
        self.interval = interval
        self.is_dashboard = is_dashboard
        self.used = set()

    def family(self, name, *kinds):
        family = self.families.get(name)
        if family is None:
            raise ValueError(f"there is no metric '{name}' in the code")
        if family.kind not in kinds:
            raise ValueError(f"'{name}' is a {family.kind}, and is used as a {' or '.join(kinds)}")
        self.used.add(name)
        return family

    def selector(self, labels="", per_model=True):
        parts = [(CHOSEN_MODEL if per_model else CHOSEN) if self.is_dashboard else "", labels]
        text = ",".join(part for part in parts if part)
        return f"{{{text}}}" if text else ""

    def rate(self, name, by="", labels="", per_model=True):
        self.family(name, "counter")
        return self.summed(f"rate({name}{self.selector(labels, per_model)}[{self.interval}])", by)

    def value(self, name, by="", labels="", per_model=True):
        self.family(name, "gauge")
        return self.summed(f"{name}{self.selector(labels, per_model)}", by)

    def over_time(self, name, by="", labels=""):
        """The mean of a gauge that jumps."""
        self.family(name, "gauge")
        return self.summed(f"avg_over_time({name}{self.selector(labels)}[{self.interval}])", by)

    def mean(self, name, by="", labels=""):
        """The mean of what a histogram counts."""
        self.family(name, "histogram")
        selector = self.selector(labels)
        total = self.summed(f"rate({name}_sum{selector}[{self.interval}])", by)
        count = self.summed(f"rate({name}_count{selector}[{self.interval}])", by)
        return f"{total} / {count}"

    def total(self, name, by=""):
        """How much of what a histogram counts there is in a second."""
        self.family(name, "histogram")
        return self.summed(f"rate({name}_sum{self.selector()}[{self.interval}])", by)

    def quantile(self, quantile, name, by=""):
        self.family(name, "histogram")
        labels = ", ".join(part for part in (by, "le") if part)
        inner = f"sum by ({labels}) (rate({name}_bucket{self.selector()}[{self.interval}]))"
        return f"histogram_quantile({quantile}, {inner})"

    @staticmethod
    def summed(query, by):
        return f"sum by ({by}) ({query})" if by else f"sum({query})"
