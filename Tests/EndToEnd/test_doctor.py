"""`cloakroom doctor`: one line each, green or what to do."""

import json
import re
import time

import pytest

from broker import Broker, Installation, closed_port, run, source_types
from provider import Handler, Provider


def findings(installation) -> tuple[int, dict[str, list[dict]]]:
    result = run("doctor", "--config", installation.config, "--json")
    by_subject: dict[str, list[dict]] = {}
    for item in json.loads(result.stdout):
        by_subject.setdefault(item["subject"], []).append(item)
    return result.returncode, by_subject


def bad(found: dict, subject: str) -> list[str]:
    return [item["finding"] for item in found.get(subject, []) if not item["ok"]]


def warned(found: dict, subject: str) -> list[str]:
    return [item["finding"] for item in found.get(subject, []) if item["level"] == "warn"]


def test_a_running_installation_is_well_but_for_its_trial_settings(installation):
    with Broker(installation) as broker:
        broker.credentials()
        status, found = findings(installation)
    for subject in ("master keys", "database", "disk", "audit trail", "public address", "callers' keys"):
        assert found[subject] and not bad(found, subject), found
    # Permissions for trials are warnings; two endpoints of the test's catalog are closed.
    assert status == 1 and not bad(found, "configuration")
    assert warned(found, "configuration"), found
    assert all("allow" in words or "trial" in words for words in warned(found, "configuration")), found
    assert [item["ok"] for item in found["provider"]].count(True) >= 1


def test_lines_are_for_people(installation):
    with Broker(installation):
        result = run("doctor", "--config", installation.config)
    lines = result.stdout.splitlines()
    assert all(line.startswith(("ok    ", "warn  ", "FAIL  ", "      hint: ")) for line in lines), lines
    assert any(line.startswith("ok    database: ") for line in lines)


def test_a_broker_that_does_not_run_is_told(installation):
    _, found = findings(installation)
    assert "does not answer" in bad(found, "public address")[0]


def test_files_that_others_can_read_are_told(installation):
    with Broker(installation):
        pass
    (installation.folder / "master.key").chmod(0o644)
    installation.database.chmod(0o644)
    _, found = findings(installation)
    assert "others can read" in bad(found, "master keys")[0]
    assert "others can read" in bad(found, "database")[0]


def test_every_secret_that_others_can_read_is_told(installation):
    (installation.folder / "wiki.secret").chmod(0o640)
    status, found = findings(installation)
    assert status == 1 and "clients.wiki.clientSecretFile" in bad(found, "secret files")[0]
    assert not bad(found, "master keys")


def test_limits_that_all_callers_share_are_told(installation):
    installation.settings["limits"] = {"callbackPerAddress": 1}
    installation.write_configuration()
    _, found = findings(installation)
    assert any("http.trustedProxies" in words for words in warned(found, "configuration"))


def test_warnings_alone_are_no_failure(tmp_path, provider):
    """All of the tests' settings for trials, and providers that answer."""
    installation = Installation(tmp_path / "warned", provider)
    oauth = {"authorizationURL": f"{provider.url}/authorize", "tokenURL": f"{provider.url}/token"}
    entry = {"displayName": "Wiki", "category": "wiki", "oauth": oauth}
    public = entry | {"oauth": oauth | {"clientAuthentication": "none"}}
    installation.write_catalog({"wiki": entry, "wiki_public": public})
    with Broker(installation):
        status, found = findings(installation)
    assert status == 0 and warned(found, "configuration"), found
    assert all(item["ok"] for items in found.values() for item in items)


def test_the_host_of_a_client_of_one_instance_is_tried(tmp_path, provider):
    host = {"host": {"pattern": "^127\\.0\\.0\\.1:[0-9]+$", "description": "The server", "setByOperator": True}}
    oauth = {
        "authorizationURL": "http://{host}/authorize", "tokenURL": "http://{host}/token",
        "clientAuthentication": "none", "parameters": host,
    }
    closed = f"127.0.0.1:{closed_port()}"
    client = {"clientId": "own", "parameters": {"host": closed}}
    installation = Installation(tmp_path / "instance", provider, {"clients": {"server": client}})
    entries = source_types(provider) | {"server": {"displayName": "Server", "category": "code", "oauth": oauth}}
    installation.write_catalog(entries)
    _, found = findings(installation)
    assert any(closed in words for words in bad(found, "provider")), found


@pytest.mark.parametrize("seconds, is_good", [(0, True), (20, True), (-20, True), (45, False), (-3600, False)])
def test_a_clock_that_is_wrong_is_told(tmp_path, seconds, is_good):
    class Skewed(Handler):
        def date_time_string(self, timestamp=None) -> str:
            return super().date_time_string(time.time() + seconds)

    provider = Provider(Skewed)
    installation = Installation(tmp_path / "skewed", provider)
    with Broker(installation):
        _, found = findings(installation)
    (finding,) = found["clock"]
    assert finding["ok"] == is_good
    told = re.match(r"(\d+) s from that of ", finding["finding"])
    # The provider's clock has whole seconds, and its answer takes some time.
    assert is_good or told and abs(int(told[1]) - abs(seconds)) <= 5, finding


def test_damage_is_told(installation):
    with Broker(installation) as broker:
        broker.credentials()
    data = bytearray(installation.database.read_bytes())
    data[4096 * 3 : 4096 * 5] = b"\xff" * 8192
    installation.database.write_bytes(data)
    status, found = findings(installation)
    assert status == 1 and bad(found, "database")


@pytest.mark.parametrize("setting", [{"auth": {"jwksFile": None, "jwksURL": "http://127.0.0.1:1/jwks"}}])
def test_keys_that_cannot_be_fetched_are_told(tmp_path, provider, setting):
    installation = Installation(tmp_path / "installation", provider, setting)
    _, found = findings(installation)
    assert "does not answer" in bad(found, "callers' keys")[0]
