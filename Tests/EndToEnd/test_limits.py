"""Limits by tenant and by client address, with and without a proxy in front.

One request in ten seconds, so that a test never waits for a bucket and never has one filled behind its back.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from broker import Broker, Installation, assert_problem, eventually, free_port, text_of

SLOW = 0.1
LIMITS = {"authorizePerTenant": SLOW, "callbackPerAddress": SLOW, "redeemPerAddress": SLOW}


@pytest.fixture
def limited(tmp_path, provider) -> Iterator[Broker]:
    settings = {"http": {"trustedProxies": ["127.0.0.1", "10.0.0.0/8"]}, "limits": LIMITS}
    with Broker(Installation(tmp_path / "limited", provider, settings)) as running:
        yield running


def assert_limited(response) -> None:
    assert_problem(response, 429, "rate_limited")
    assert 1 <= int(response.headers["retry-after"]) <= 10
    assert response.headers["ratelimit-policy"].endswith(";q=1;w=10")
    assert ";r=0;t=" in response.headers["ratelimit"]


def test_authorize_is_limited_by_tenant(limited):
    response = limited.authorize()
    assert response.status_code == 200
    assert response.headers["ratelimit-policy"] == '"tenant";q=1;w=10'
    assert response.headers["ratelimit"] == '"tenant";r=0;t=10'
    assert_limited(limited.authorize())
    assert limited.authorize(tenant="other").status_code == 200


def test_a_refused_callback_and_redemption_spend_nothing(limited):
    """As another client, the same state and the same key are good."""
    grant = limited.consented()
    somebody = {"X-Forwarded-For": "192.0.2.1", "Accept": "application/json"}
    assert_problem(limited.callback({"state": "x"}, headers=somebody), 400, "invalid_state")
    assert_limited(limited.callback(grant.callback, headers=somebody))
    page = limited.callback(grant.callback, headers=somebody | {"Accept": "text/html"})
    assert page.status_code == 429
    assert "Too many attempts at once" in text_of(page)

    key = limited.finish(grant)
    assert_problem(limited.redeem("x", headers=somebody), 400, "invalid_credential_key")
    assert_limited(limited.redeem(key, headers=somebody))
    assert limited.redeem(key).status_code == 200


def test_the_client_is_the_last_hop_that_is_not_trusted(limited):
    def status(**headers: str) -> int:
        return limited.redeem("x", headers={name.replace("_", "-"): value for name, value in headers.items()}).status_code

    assert status(X_Forwarded_For="192.0.2.1") == 400
    assert status(X_Forwarded_For="192.0.2.9, 192.0.2.1, 10.1.2.3") == 429
    assert status(Forwarded='for=192.0.2.9, for="192.0.2.1:4711";proto=https') == 429
    assert status(Forwarded='for="[2001:db8::1]:4711"') == 400
    assert status(Forwarded='for="[2001:db8::2]"') == 429
    assert status() == 400
    assert status(Forwarded="for=192.0.2.77", X_Forwarded_For="192.0.2.78") == 429, "neither is believed"


def test_a_peer_that_is_not_trusted_is_the_client(tmp_path, provider):
    settings = {"http": {"trustedProxies": ["10.0.0.0/8"]}, "limits": LIMITS}
    with Broker(Installation(tmp_path / "direct", provider, settings)) as broker:
        assert broker.redeem("x", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 400
        assert broker.redeem("x", headers={"X-Forwarded-For": "192.0.2.2"}).status_code == 429


def test_outstanding_flows_are_bounded(tmp_path, provider):
    settings = {"limits": {"outstandingFlowsPerTenant": 2, "outstandingFlows": 3}}
    with Broker(Installation(tmp_path / "bounded", provider, settings)) as broker:
        first = broker.consented()
        broker.begin()
        refused = broker.authorize()
        assert_problem(refused, 429, "rate_limited")
        assert refused.headers["retry-after"] == "10"
        assert broker.authorize(tenant="other").status_code == 200
        full = broker.authorize(tenant="third")
        assert_problem(full, 503, "unavailable")
        assert full.headers["retry-after"] == "5"
        # What has ended makes room, and what was refused took none.
        broker.finish(first)
        eventually(lambda: broker.authorize().status_code == 200, within=5, what="there is room again")
        assert_problem(broker.authorize(), 503, "unavailable")
        # Another process counts what it finds.
        broker.stop()
    with Broker(broker.installation) as broker:
        assert_problem(broker.authorize(tenant="third"), 503, "unavailable")
        events = [line for line in broker.logs.splitlines() if "flow.started" in line]
        assert len(events) == 4


def test_brokers_on_one_database_bound_together(tmp_path, provider):
    """Each by its own settings: one without bounds leaves the other's alone."""
    bounds = {"outstandingFlowsPerTenant": 20}
    installation = Installation(tmp_path / "shared", provider, {"limits": bounds})
    with Broker(installation) as one, Broker(installation, {"CLOAKROOM_HTTP_PORT": str(free_port())}) as two:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda broker: broker.authorize().status_code, [one, two] * 32))
        assert sorted(answers) == [200] * 20 + [429] * 44
        free = {"CLOAKROOM_HTTP_PORT": str(free_port()), "CLOAKROOM_LIMITS_OUTSTANDING_FLOWS_PER_TENANT": "0"}
        with Broker(installation, free) as three:
            assert three.authorize().status_code == 200
            assert_problem(one.authorize(), 429, "rate_limited")
            assert one.authorize(tenant="other").status_code == 200


@pytest.mark.parametrize("name, most", [("outstandingFlowsPerTenant", 100_000), ("outstandingFlows", 1_000_000)])
def test_a_bound_is_a_whole_number(tmp_path, provider, name, most):
    for number, value in enumerate([-1, 1.5, "many", most + 1]):
        checked = Installation(tmp_path / f"bad{number}", provider, {"limits": {name: value}}).check()
        assert checked.returncode != 0
        assert f"limits.{name}: found" in checked.stderr and "wanted a whole number" in checked.stderr
    for number, value in enumerate([0, most]):
        assert Installation(tmp_path / f"good{number}", provider, {"limits": {name: value}}).check().returncode == 0


def test_limits_and_proxies_by_the_environment(tmp_path, provider):
    environment = {"CLOAKROOM_HTTP_TRUSTED_PROXIES": "::1, 127.0.0.0/8", "CLOAKROOM_LIMITS_REDEEM_PER_ADDRESS": "0.25"}
    with Broker(Installation(tmp_path / "environment", provider), environment) as broker:
        for expected in (400, 400, 429):
            assert broker.redeem("x", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == expected
        response = broker.redeem("x", headers={"X-Forwarded-For": "192.0.2.2"})
        assert response.headers["ratelimit-policy"] == '"address";q=2;w=8'
