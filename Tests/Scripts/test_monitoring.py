"""The dashboard and the rules can't drift from the metrics in the code."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Scripts"))

from monitoring import dashboard, families, rules  # noqa: E402
from monitoring.queries import Queries  # noqa: E402

SOURCE = """
let a = Counter("requests_total", "Requests.") { $0.count }
let b = MetricFamily(
    .histogram, "time_seconds",
    "Time.")
let c = GPUGauge("energy", "Energy.", .counter) { $0.energy }
init(_ name: String, _ help: String) { family = MetricFamily(kind, name, help) }
"""


class Families(unittest.TestCase):
    def read(self, text):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "a.swift").write_text(text)
            return families.read(Path(folder))

    def test_families_are_found_with_kind_and_help(self):
        found = self.read(SOURCE)
        self.assertEqual([(each.name, each.kind, each.help) for each in found.values()], [
            ("requests_total", "counter", "Requests."), ("time_seconds", "histogram", "Time."), ("energy", "counter", "Energy."),
        ])  # fmt: skip

    def test_a_family_that_would_be_overlooked_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "1 metric families are not written as"):
            self.read(SOURCE + 'let d = Counter("other_total", help) { 1 }')

    def test_the_codes_families_are_those_of_a_page(self):
        found = families.read()
        expected = (ROOT / "Tests" / "MetricsExpositionTests" / "ExpectedPage.swift").read_text()
        shown = {line.split()[2]: line.split()[3] for line in expected.splitlines() if line.strip().startswith("# TYPE ")}
        self.assertGreater(len(shown), 10)
        for name, kind in shown.items():
            self.assertEqual(found[name].kind, kind, name)


class Made(unittest.TestCase):
    def test_a_metric_that_is_gone_or_of_another_kind_is_an_error(self):
        found = families.read()
        q = Queries(found)
        with self.assertRaisesRegex(ValueError, "there is no metric 'nv_gone'"):
            q.rate("nv_gone")
        with self.assertRaisesRegex(ValueError, "is a counter, and is used as a histogram"):
            q.mean("nv_inference_count")
        del found["nv_inference_count"]
        with self.assertRaisesRegex(ValueError, "there is no metric 'nv_inference_count'"):
            dashboard.document(found)

    def test_a_new_metric_is_on_the_dashboard_at_once(self):
        found = families.read()
        found["halcyon_new_total"] = families.Family("halcyon_new_total", "counter", "What is new.")
        panels = dashboard.document(found)["panels"]
        self.assertEqual(panels[-1]["title"], "halcyon_new_total")
        self.assertIn("rate(halcyon_new_total", panels[-1]["targets"][0]["expr"])
        self.assertEqual(panels[-1]["description"], "halcyon_new_total: What is new.")

    def test_all_metrics_are_shown_or_said_not_to_be(self):
        found = families.read()
        text = str(dashboard.document(found))
        for name in found:
            self.assertEqual(name in dashboard.UNSHOWN, name not in text, name)
        self.assertLessEqual(dashboard.UNSHOWN.keys(), found.keys())

    def test_panels_do_not_lie_over_each_other(self):
        taken = set()
        for panel in dashboard.document(families.read())["panels"]:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(taken & cells, panel["title"])
            taken |= cells

    def test_alerts_have_names_of_their_own_and_all_that_a_person_needs(self):
        alerts = rules.alerts(families.read())
        self.assertEqual(len({alert["alert"] for alert in alerts}), len(alerts))
        for alert in alerts:
            self.assertNotIn("$__rate_interval", alert["expr"])
            self.assertNotIn("$job", alert["expr"])
            self.assertEqual(alert["annotations"].keys(), {"summary", "description"})


if __name__ == "__main__":
    unittest.main()
