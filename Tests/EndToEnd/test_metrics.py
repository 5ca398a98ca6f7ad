"""`/metrics`, read by Prometheus' own parser, and the dashboard and alert rules that are built on it."""

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from broker import Broker, Installation, on_sqlite
from provider import refusal

DEPLOY = Path(__file__).parents[2] / "Deploy"
PREFIXES = ("cloakroom_", "process_")


def families(broker: Broker) -> dict:
    response = broker.client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {family.name: family for family in text_string_to_metric_families(response.text)}


def value(broker: Broker, name: str, **labels: str) -> float:
    """The sum over all series with these labels."""
    return sum(
        sample.value
        for family in families(broker).values()
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


@pytest.fixture(scope="module")
def used(folder, provider) -> Iterator[Broker]:
    """A broker that has seen one of each."""
    with Broker(Installation(folder / "used", provider)) as broker:
        key = broker.key()
        for _ in range(3):
            broker.redeem(key)
        broker.redeem("unknown")
        denied = broker.begin()
        broker.callback({"state": denied.state, "error": "access_denied"})
        broker.callback(broker.consented(answer=refusal("server_error", 500)).callback)
        broker.authorize(headers={"Authorization": "Bearer x"})
        broker.client.get("/v1/tenants/acme-s3cret/nowhere")
        yield broker


def test_before_the_first_request_every_family_is_there_and_alarms_are_0(tmp_path, provider):
    with Broker(Installation(tmp_path / "fresh", provider)) as fresh:
        found = families(fresh)
        for name in ("redeemed", "reused", "refused", "expired", "unreadable"):
            (sample,) = found[f"cloakroom_credential_keys_{name}"].samples
            assert sample.value == 0
        assert value(fresh, "cloakroom_flows_started_total", source_type="wiki") == 0
        # What could be connected now, not the whole catalog.
        assert "google_drive" not in fresh.client.get("/metrics").text


def test_every_family_is_well_formed(used):
    found = families(used)
    for family in found.values():
        assert family.documentation, family.name
        assert family.type in ("counter", "gauge", "histogram"), family.name
        assert re.fullmatch(r"(cloakroom|process)_[a-z_]+", family.name)
        names = {sample.name for sample in family.samples}
        assert names, f"{family.name} has no series"
        if family.type == "counter":
            assert names == {f"{family.name}_total"}
        if family.type == "histogram":
            assert_whole(family)
    series = [(s.name, tuple(sorted(s.labels.items()))) for family in found.values() for s in family.samples]
    assert len(series) == len(set(series))


def assert_whole(family) -> None:
    """Buckets grow, the last is infinity, and it is the count."""
    series: dict = {}
    for sample in family.samples:
        labels = tuple(sorted((name, text) for name, text in sample.labels.items() if name != "le"))
        series.setdefault(labels, []).append(sample)
    for samples in series.values():
        buckets = [(float(s.labels["le"]), s.value) for s in samples if s.name.endswith("_bucket")]
        assert buckets == sorted(buckets)
        assert [count for _, count in buckets] == sorted(count for _, count in buckets)
        assert buckets[-1][0] == float("inf")
        (count,) = [s.value for s in samples if s.name.endswith("_count")]
        (total,) = [s.value for s in samples if s.name.endswith("_sum")]
        assert buckets[-1][1] == count
        assert (total > 0) == (count > 0), family.name


def test_what_happened_is_counted(used):
    assert value(used, "cloakroom_flows_started_total", source_type="wiki") == 3
    assert value(used, "cloakroom_flows_succeeded_total", source_type="wiki") == 1
    assert value(used, "cloakroom_flows_failed_total", source_type="wiki", code="access_denied") == 1
    assert value(used, "cloakroom_flows_failed_total", source_type="wiki", code="provider_rejected") == 1
    assert value(used, "cloakroom_credential_keys_redeemed_total") == 1
    assert value(used, "cloakroom_credential_keys_reused_total") == 2
    assert value(used, "cloakroom_credential_keys_refused_total") == 1
    assert value(used, "cloakroom_provider_requests_total", source_type="wiki", outcome="2xx") == 1
    assert value(used, "cloakroom_provider_requests_total", source_type="wiki", outcome="5xx") == 1
    assert value(used, "cloakroom_provider_request_duration_seconds_count", source_type="wiki") == 2
    assert value(used, "cloakroom_store_commit_operations_sum") >= 10
    assert value(used, "cloakroom_store_commit_duration_seconds_count") >= 1
    assert value(used, "cloakroom_store_failures_total") == 0
    route = "/v1/tenants/{tenant}/assets:oauthCredentials"
    assert value(used, "cloakroom_http_requests_total", route=route, method="GET", status="400") == 3
    assert value(used, "cloakroom_http_requests_total", route="none", status="404") == 1
    assert value(used, "cloakroom_http_request_duration_seconds_count", route=route) == 4


def test_the_process_is_as_the_system_sees_it(used):
    status = Path(f"/proc/{used.process.pid}/status").read_text()
    resident = int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024
    assert value(used, "process_resident_memory_bytes") == pytest.approx(resident, rel=0.2)
    started = value(used, "process_start_time_seconds")
    assert started == pytest.approx(Path(f"/proc/{used.process.pid}").stat().st_ctime, abs=60)
    # The connections of the test come and go; one of them asks.
    open_files = len(list(Path(f"/proc/{used.process.pid}/fd").iterdir()))
    assert abs(value(used, "process_open_fds") - open_files) <= 3
    assert 0 < value(used, "process_cpu_seconds_total") < 600
    assert value(used, "cloakroom_build_info") == 1


def test_no_label_holds_what_a_caller_sent(used):
    text = used.client.get("/metrics").text
    assert "acme" not in text
    assert "s3cret" not in text
    sources = {s.labels["source_type"] for f in families(used).values() for s in f.samples if "source_type" in s.labels}
    assert sources <= {item["type"] for item in used.source_types().json()["items"]} | {"none", "other"}


@on_sqlite
def test_a_database_that_fails_is_counted(tmp_path, provider):
    with Broker(Installation(tmp_path / "locked", provider)) as broker:
        other = sqlite3.connect(broker.installation.database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert broker.redeem("x").status_code == 503
        other.execute("ROLLBACK")
        other.close()
        assert value(broker, "cloakroom_store_failures_total") >= 1


# What is built on them.


def names_in(expression: str) -> set[str]:
    """The metrics that a PromQL expression reads: names that stand for themselves, not inside quotes or as labels."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    return {name for name in re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", bare) if name.startswith(PREFIXES)}


def selectors_in(expression: str) -> list[tuple[str, set[str]]]:
    """Each metric with the labels that it is chosen by."""
    found = re.findall(r"((?:cloakroom|process)_[a-z_]+)\{([^}]*)\}", expression)
    return [(name, set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", labels))) for name, labels in found]


def alerts() -> list[dict]:
    groups = yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict]:
    return [panel for panel in json.loads((DEPLOY / "grafana-dashboard.json").read_text())["panels"] if panel["type"] != "row"]


def expressions() -> dict[str, str]:
    queries = {rule["alert"]: rule["expr"] for rule in alerts()}
    return queries | {f"{p['title']} {t['refId']}": t["expr"] for p in panels() for t in p["targets"]}


def test_every_metric_that_the_dashboard_and_the_alerts_name_exists(used):
    samples = [sample for family in families(used).values() for sample in family.samples]
    labels = {}
    for sample in samples:
        labels.setdefault(sample.name, set()).update(sample.labels)
    for title, expression in expressions().items():
        assert names_in(expression) or 'up{' in expression, title
        assert names_in(expression) <= labels.keys(), title
        for name, chosen in selectors_in(expression):
            assert chosen - {"job"} <= labels[name], title
        # What is grouped by must be there on one of the metrics at least.
        for group in re.findall(r"by \(([^)]*)\)", expression):
            grouped = {label.strip() for label in group.split(",")} - {"instance", "job"}
            assert any(grouped <= labels[name] for name in names_in(expression)), title


def test_every_metric_is_on_the_dashboard_or_in_an_alert(used):
    """What nobody looks at is not worth counting."""
    read = {name for expression in expressions().values() for name in names_in(expression)}
    read = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in read}
    assert families(used).keys() - read - {"process_virtual_memory_bytes"} == set()


def test_alerts_say_what_they_mean_and_are_unique():
    names = [rule["alert"] for rule in alerts()]
    assert len(names) == len(set(names))
    for rule in alerts():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"]


def test_every_alert_and_every_metric_is_in_the_manual(used):
    manual = (DEPLOY.parent / "Docs" / "Operate.md").read_text()
    for rule in alerts():
        assert f"`{rule['alert']}`" in manual
    # Those of one subject share a line: "`…_succeeded_total`".
    ends = re.findall(r"`(?:…_)?([a-z_]+?)(?:_total)?`", manual)
    for name in families(used):
        assert name.startswith("process_") or any(name.endswith(end) for end in ends if len(end) > 6), name


def test_panels_do_not_overlap_and_say_what_they_show():
    taken: set = set()
    for panel in panels():
        assert panel["title"] and panel["description"]
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells
