"""Rows that this program cannot have written: whoever can write to the database ends no broker by them."""

import sqlite3

import pytest

from broker import Broker, assert_problem, eventually, run


def change(installation, statement: str) -> None:
    with sqlite3.connect(installation.database, timeout=10) as database:
        database.execute(statement)


def admin(broker) -> dict[str, str]:
    return broker.bearer(tenant=None, scope="broker:admin")


@pytest.fixture
def broker(installation):
    """With a tenant that has a client of its own."""
    with Broker(installation) as broker:
        broker.client.put(
            "/v1/admin/tenants/acme/clients/wiki_post", json={"clientId": "own", "clientSecret": "s"},
            headers=admin(broker))
        yield broker


@pytest.mark.parametrize("column", ["sealed_secret", "parameters", "changed_at", "client_id"])
@pytest.mark.parametrize("value", ["0", "1.5", "x'ff'", "'x'"])
def test_a_client_of_another_form_costs_its_tenant_alone(installation, broker, column, value):
    change(installation, f"UPDATE clients SET {column} = {value}")
    answers = [broker.authorize("wiki_post"), broker.authorize("wiki")]
    if (column, value) not in [("client_id", "0"), ("client_id", "1.5"), ("client_id", "'x'"),
                               ("changed_at", "0"), ("changed_at", "1.5")]:
        # Never as the installation's client instead. Where the secret alone is none, its source type alone is refused.
        assert_problem(answers[0], 503, "unavailable")
        if column == "sealed_secret":
            assert answers[1].status_code == 200
        else:
            assert_problem(answers[1], 503, "unavailable")
    assert broker.authorize("wiki_post", tenant="other").status_code == 200
    new = run("master-key", "new", "--id", "second").stdout
    file = installation.folder / "master.key"
    installation.write("master.key", new + file.read_text(), mode=0o600)
    eventually(lambda: '"keys":"second, ' in broker.logs, what="the new key is read")
    eventually(lambda: broker.client.get("/healthz").status_code == 200)
    # An operator's new one takes its place.
    broker.client.put(
        "/v1/admin/tenants/acme/clients/wiki_post", json={"clientId": "own", "clientSecret": "s"},
        headers=admin(broker)).raise_for_status()
    assert broker.authorize("wiki_post").status_code == 200


@pytest.mark.parametrize("column", ["flow", "tenant", "expires_at", "created_at", "line", "sealed_revocation", "digest"])
@pytest.mark.parametrize("value", ["1.5", "x'ff'", "'x'"])
def test_a_credential_key_of_another_form_is_left_out(installation, broker, column, value):
    broker.key()
    change(installation, f"UPDATE credential_keys SET {column} = {value}")
    assert broker.client.get("/v1/admin/credentialKeys", headers=admin(broker)).status_code == 200
    broker.client.post(
        "/v1/admin/revocations", json={"all": True, "reason": "r"}, headers=admin(broker)).raise_for_status()
    assert broker.credentials()["accessToken"]


def test_the_sweep_takes_flows_of_another_form(installation):
    with Broker(installation) as broker:
        broker.begin()
        broker.begin()
    change(installation, "UPDATE flows SET id = rowid, is_swept = 'x', status = 'x', sweep_at = 0")
    with Broker(installation) as broker:
        eventually(lambda: _swept(installation) == 2, what="both are met")
        assert broker.credentials()["accessToken"]


def _swept(installation) -> int:
    with sqlite3.connect(installation.database, timeout=10) as database:
        return database.execute("SELECT count(*) FROM flows WHERE is_swept = 1").fetchone()[0]
