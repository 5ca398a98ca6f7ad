"""Configuration, catalog and database: what is wrong is said, and nothing starts on it. Also the command line."""

import base64
import hashlib
import json
import os
import re
import sqlite3
import subprocess
import time
from pathlib import Path

import httpx
import jwt
import pytest

import tokens
from broker import APP, CLIENT_SECRET, OTHER_APP, Broker, Installation, free_port, merged, run, source_types
from tokens import AUDIENCE, ISSUER, Signer, challenge_of, new_verifier

MISSING = None


def output(result: subprocess.CompletedProcess) -> str:
    return result.stdout + result.stderr


def assert_refused(result: subprocess.CompletedProcess, setting: str, file: str, *others: str) -> None:
    """Exit 1, and one line that names the setting and its file; each of the other words is in it."""
    assert result.returncode == 1, f"exit status {result.returncode}\n{output(result)}"
    naming = [line for line in output(result).splitlines() if setting in line and file in line]
    assert len(naming) == 1, output(result)
    for word in others:
        assert word in naming[0], f"{word!r} is not said in {naming}"
    assert CLIENT_SECRET not in output(result)
    assert "Fatal error" not in output(result) and "Stack dump" not in output(result)


def served_until_exit(installation: Installation, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    return run("serve", "--config", installation.config, env=env)


# What is right.


def test_a_good_configuration_is_said_to_be_good(installation):
    result = installation.check()
    assert result.returncode == 0, output(result)


def test_a_minimal_configuration_is_enough(installation):
    """Without default: publicURL, issuer, audience, one key source, masterKeyFile."""
    installation.settings = {
        "http": {"publicURL": "https://broker.example.com"},
        "auth": {"issuer": ISSUER, "audience": AUDIENCE, "jwksFile": "jwks.json"},
        "masterKeyFile": "master.key",
    }
    installation.write_configuration()
    result = installation.check()
    assert result.returncode == 0, output(result)


def test_relative_paths_are_relative_to_the_configuration(installation):
    """The broker runs with another working directory; every path here is relative."""
    with Broker(installation) as broker:
        broker.credentials("wiki")
    assert installation.database.exists()
    assert not Path("/cloakroom.db").exists()


def test_check_leaves_no_trace(installation):
    before = sorted(installation.folder.iterdir())
    installation.check()
    assert sorted(installation.folder.iterdir()) == before


# What is wrong.


@pytest.mark.parametrize("change, setting, found", [
    ({"http": {"publicURL": MISSING}}, "http.publicURL", ""),
    ({"http": {"publicURL": "ftp://broker.example.com"}}, "http.publicURL", "ftp://broker.example.com"),
    ({"http": {"publicURL": "broker.example.com"}}, "http.publicURL", "broker.example.com"),
    ({"http": {"publicURL": "https://broker.example.com/#x"}}, "http.publicURL", "https://broker.example.com/#x"),
    ({"http": {"publicURL": "https://user@broker.example.com"}}, "http.publicURL", ""),
    ({"http": {"port": 70000}}, "http.port", "70000"),
    ({"http": {"port": "eighty"}}, "http.port", "eighty"),
    ({"http": {"port": -1}}, "http.port", "-1"),
    ({"http": {"trustedProxies": ["10.0.0.0/33"]}}, "http.trustedProxies", "10.0.0.0/33"),
    ({"http": {"trustedProxies": ["::1", "proxy.example.com"]}}, "http.trustedProxies", "proxy.example.com"),
    ({"http": {"trustedProxies": "10.0.0.1"}}, "http.trustedProxies", "10.0.0.1"),
    ({"http": {"maxConnections": 0}}, "http.maxConnections", "0"),
    ({"http": {"maxConnections": "many"}}, "http.maxConnections", "many"),
    ({"http": {"requestTimeout": 0}}, "http.requestTimeout", "0"),
    ({"http": {"requestTimeout": 301}}, "http.requestTimeout", "301"),
    ({"admin": {"port": 70000}}, "admin.port", "70000"),
    ({"http": {"port": 8081}, "admin": {"host": "127.0.0.1"}}, "admin.port", "8081"),
    ({"http": {"host": "0.0.0.0", "port": 8081}, "admin": {"port": 8081}}, "admin.port", "8081"),
    ({"frontend": {"origins": ["https://app.example.com/path"]}}, "frontend.origins", "https://app.example.com/path"),
    ({"frontend": {"origins": [APP, "*"]}}, "frontend.origins", "*"),
    ({"frontend": {"origins": ["app.example.com"]}}, "frontend.origins", "app.example.com"),
    ({"frontend": {"origins": ["https://*.com"]}}, "frontend.origins", "https://*.com"),
    ({"frontend": {"origins": [APP, "https://pr-*.example.com"]}}, "frontend.origins", "https://pr-*.example.com"),
    ({"frontend": {"returnURLs": ["javascript:alert(1)"]}}, "frontend.returnURLs", "javascript:alert(1)"),
    ({"frontend": {"returnURLs": [f"{APP}/x#y"]}}, "frontend.returnURLs", f"{APP}/x#y"),
    ({"frontend": {"returnURLs": ["https://APP.example.com/x"]}}, "frontend.returnURLs", "https://APP.example.com/x"),
    ({"frontend": {"tenants": {"-": {"origins": [APP]}}}}, "frontend.tenants.-", "-"),
    ({"frontend": {"tenants": {"acme": {"origins": []}}}}, "frontend.tenants.acme.origins", ""),
    ({"frontend": {"tenants": {"acme": {"returnURLs": [f"{APP}/x"]}}}}, "frontend.tenants.acme.origins", "nothing"),
    ({"frontend": {"tenants": {"acme": {"origins": ["acme"]}}}}, "frontend.tenants.acme.origins", "acme"),
    ({"frontend": {"tenants": {"acme": [APP]}}}, "frontend.tenants.acme", ""),
    ({"clients": {"wiki": {"legacyRedirect": "perhaps"}}}, "clients.wiki.legacyRedirect", "perhaps"),
    ({"auth": {"issuer": MISSING}}, "auth.issuer", ""),
    ({"auth": {"audience": MISSING}}, "auth.audience", ""),
    ({"auth": {"audience": ""}}, "auth.audience", ""),
    ({"auth": {"jwksFile": MISSING}}, "auth.jwksFile", ""),
    ({"auth": {"jwksFile": "nowhere.json"}}, "auth.jwksFile", "nowhere.json"),
    ({"auth": {"jwksFile": MISSING, "jwksURL": "nothing like it"}}, "auth.jwksURL", "nothing like it"),
    ({"auth": {"jwksFile": MISSING, "hmacSecretFile": "nowhere.secret"}}, "auth.hmacSecretFile", "nowhere.secret"),
    ({"storage": {"url": "mysql://localhost/x"}}, "storage.url", "mysql"),
    ({"storage": {"url": "cloakroom.db"}}, "storage.url", "cloakroom.db"),
    ({"storage": {"url": "sqlite:nowhere/at/all.db"}}, "storage.url", "nowhere/at"),
    ({"masterKeyFile": MISSING}, "masterKeyFile", ""),
    ({"masterKeyFile": "nowhere.key"}, "masterKeyFile", "nowhere.key"),
    ({"lifetimes": {"state": "soon"}}, "lifetimes.state", "soon"),
    ({"lifetimes": {"state": -1}}, "lifetimes.state", "-1"),
    ({"lifetimes": {"credentialKey": 0}}, "lifetimes.credentialKey", "0"),
    ({"provider": {"timeout": "long"}}, "provider.timeout", "long"),
    ({"provider": {"timeout": 0}}, "provider.timeout", "0"),
    ({"provider": {"maxResponseBytes": -5}}, "provider.maxResponseBytes", "-5"),
    ({"provider": {"allowInsecure": "perhaps"}}, "provider.allowInsecure", "perhaps"),
    ({"catalogFiles": ["nowhere.yaml"]}, "nowhere.yaml", ""),
    ({"clients": {"wiki": {"clientId": MISSING}}}, "clients.wiki.clientId", ""),
    ({"clients": {"wiki": {"clientSecretFile": "nowhere.secret"}}}, "clients.wiki.clientSecretFile", "nowhere.secret"),
    ({"provider": {"callsPerTenant": 0}}, "provider.callsPerTenant", "0"),
    ({"provider": {"callsPerTenant": 65}}, "provider.callsPerTenant", "65"),
    ({"provider": {"callsPerHost": "many"}}, "provider.callsPerHost", "many"),
    ({"limits": {"authorizePerTenant": -1}}, "limits.authorizePerTenant", "-1"),
    ({"limits": {"refreshPerTenant": -1}}, "limits.refreshPerTenant", "-1"),
    ({"limits": {"revokePerTenant": "many"}}, "limits.revokePerTenant", "many"),
    ({"limits": {"redeemPerAddress": "many"}}, "limits.redeemPerAddress", "many"),
    ({"limits": {"redeemPerAddress": "0x10"}}, "limits.redeemPerAddress", "0x10"),
    ({"limits": {"callbackPerAddress": "1e3"}}, "limits.callbackPerAddress", "1e3"),
    ({"limits": {"callbackPerAddress": 0.0001}}, "limits.callbackPerAddress", "0.0001"),
    ({"limits": {"callbackPerAddress": 2000000}}, "limits.callbackPerAddress", "2000000"),
    ({"log": {"level": "loud"}}, "log.level", "loud"),
    ({"log": {"format": "xml"}}, "log.format", "xml"),
], ids=lambda value: json.dumps(value) if isinstance(value, dict) else "")
def test_a_wrong_setting_is_one_line_that_names_it(installation, change, setting, found):
    """File, setting, what was found; `serve` stops on it as `check` does."""
    installation.settings = merged(installation.settings, change)
    installation.write_configuration()
    result = installation.check()
    assert_refused(result, setting, "cloakroom.yaml", found)
    assert_refused(served_until_exit(installation), setting, "cloakroom.yaml", found)


@pytest.mark.parametrize("change, setting", [
    ({"http": {"prot": 8080}}, "http.prot"),
    ({"htpp": {"port": 8080}}, "htpp"),
    ({"admin": {"publicURL": "http://127.0.0.1:8081"}}, "admin.publicURL"),
    ({"auth": {"jwksfile": "jwks.json"}}, "auth.jwksfile"),
    ({"lifetimes": {"refreshToken": 5}}, "lifetimes.refreshToken"),
    ({"clients": {"wiki": {"secret": "x"}}}, "clients.wiki.secret"),
    ({"frontend": {"tenants": {"acme": {"origins": [APP], "origin": APP}}}}, "frontend.tenants.acme.origin"),
    ({"masterKey": "x"}, "masterKey"),
], ids=json.dumps)
def test_an_unknown_setting_is_one_line_that_names_it(installation, change, setting):
    installation.settings = merged(installation.settings, change)
    installation.write_configuration()
    result = installation.check()
    assert result.returncode == 1, output(result)
    naming = [line for line in output(result).splitlines() if re.search(rf"(?<![\w.]){re.escape(setting)}(?!\w)", line)]
    assert len(naming) == 1 and "cloakroom.yaml" in naming[0], output(result)


def test_a_scheme_that_any_app_may_claim_is_remarked(installation):
    """RFC 8252 § 7.1."""
    installation.settings["frontend"]["returnURLs"] = ["example://connected", "com.example.app:/connected"]
    installation.write_configuration()
    result = installation.check()
    assert result.returncode == 0 and "example://connected" in result.stderr and "com.example.app:/" not in result.stderr


def test_check_says_all_that_is_wrong(installation):
    installation.settings = merged(installation.settings, {
        "http": {"port": "eighty", "prot": 1}, "log": {"level": "loud"}, "lifetimes": {"state": "soon"}, "auth": {"issuer": MISSING},
    })
    installation.write_configuration()
    result = installation.check()
    for setting in ("http.port", "http.prot", "log.level", "lifetimes.state", "auth.issuer"):
        assert_refused(result, setting, "cloakroom.yaml")


@pytest.mark.parametrize("text", ["http: [", "\t- x", "just words", "- a\n- b\n", "", "\x00\x01\x02", "http: 5\n"], ids=ascii)
def test_a_file_that_is_no_configuration_is_refused_by_name(installation, text):
    installation.write("cloakroom.yaml", text)
    assert "cloakroom.yaml" in output(installation.check())
    assert installation.check().returncode == 1


def test_a_missing_file_is_refused_by_name(tmp_path):
    for command in ("check", "serve"):
        result = run(command, "--config", tmp_path / "absent.yaml")
        assert result.returncode == 1, output(result)
        assert "absent.yaml" in output(result)


@pytest.mark.parametrize("text", ["", "{}", "garbage", '{"keys": []}', '{"keys": [{"kty": "none"}]}', '{"keys": 5}'], ids=ascii)
def test_a_jwks_file_without_a_usable_key_is_refused(installation, text):
    installation.write("jwks.json", text)
    assert_refused(installation.check(), "auth.jwksFile", "jwks.json")


GOOD_KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.mark.parametrize("text", [
    "", "\n", "garbage", f"{GOOD_KEY}\n", f":{GOOD_KEY}\n", "one:not base64!\n", "one:" + base64.b64encode(bytes(16)).decode(),
    "one:" + base64.b64encode(bytes(33)).decode(), f"one:{GOOD_KEY}\none:{GOOD_KEY}\n", "one:\n", "\x00\xff",
], ids=["empty", "blank", "garbage", "no-id", "empty-id", "alphabet", "short", "long", "twice", "no-key", "binary"])
def test_a_bad_master_key_file_is_refused_and_not_shown(installation, text):
    installation.write("master.key", text, mode=0o600)
    result = installation.check()
    assert_refused(result, "masterKeyFile", "master.key")
    assert GOOD_KEY not in output(result)


def test_several_master_keys_are_taken_and_the_first_seals(installation):
    """Keys are added in front; what older ones sealed still opens."""
    with Broker(installation) as broker:
        key, begun = broker.key(), broker.consented()
    old = (installation.folder / "master.key").read_text()
    installation.write("master.key", run("master-key", "new").stdout + old, mode=0o600)
    with Broker(installation) as broker:
        assert broker.redeem(key).status_code == 200
        assert broker.redeem(broker.finish(begun)).status_code == 200


def test_without_the_old_master_key_old_credentials_do_not_open(installation):
    with Broker(installation) as broker:
        grant = broker.consented()
        key = broker.finish(grant)
    installation.write("master.key", run("master-key", "new").stdout, mode=0o600)
    result = installation.check()
    if result.returncode == 0:  # it may also be refused at the start
        with Broker(installation) as broker:
            response = broker.redeem(key)
            assert response.status_code >= 400
            assert grant.access_token not in response.text


def test_a_postgres_server_that_does_not_answer_is_told_without_a_word_of_its_password(installation):
    installation.settings["storage"]["url"] = f"postgres://user:w0rd-of-mine@127.0.0.1:{free_port()}/cloakroom"
    installation.write_configuration()
    result = installation.check()
    assert result.returncode == 1
    assert "w0rd-of-mine" not in output(result)


def test_http_addresses_are_refused_unless_allowed(installation, provider):
    """Where `check` does not say it, the flow does."""
    installation.settings["provider"]["allowInsecure"] = False
    installation.write_configuration()
    if installation.check().returncode == 0:
        with Broker(installation) as broker:
            response = broker.authorize("wiki")
            if response.status_code == 200:
                grant = provider.consent(response.json()["authorizationUrl"])
                assert broker.callback(grant.callback).status_code == 502
                assert not grant.arrived.is_set()


# What is allowed and dangerous.


def warnings(installation: Installation) -> list[str]:
    """What `check` says; a start says the same."""
    result = installation.check()
    assert result.returncode == 0, output(result)
    said = [line.removeprefix("warning: ") for line in result.stderr.splitlines() if line.startswith("warning: ")]
    with Broker(installation) as broker:
        pass
    logged = [json.loads(line) for line in broker.logs.splitlines()]
    logged = [line["message"] for line in logged if line["level"] == "warning"]
    assert [line for line in said if line not in logged] == [], logged
    return said


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o602, 0o666, 0o777])
@pytest.mark.parametrize("file, setting", [
    ("master.key", "masterKeyFile"), ("wiki.secret", "clients.wiki.clientSecretFile"),
])
def test_a_secret_that_others_can_read_is_a_warning(installation, file, setting, mode):
    assert not any(setting in line for line in warnings(installation))
    (installation.folder / file).chmod(mode)
    [line] = [line for line in warnings(installation) if setting in line]
    assert file in line and f"{mode:o}" in line and "others can read it" in line and "chmod 600" in line


def test_every_file_with_a_secret_is_looked_at(installation):
    signer = Signer.new("ES256", "key-1")
    installation.write("hmac.secret", "s" * 40)
    installation.write("client.pem", signer.private_pem)
    installation.settings = merged(installation.settings, {
        "auth": {"jwksFile": MISSING, "hmacSecretFile": "hmac.secret"},
        "clients": {"wiki": {"privateKeyFile": "client.pem", "keyId": "key-1", "algorithm": "ES256"}},
    })
    installation.write_configuration()
    said = "\n".join(installation.check().stderr.splitlines())
    assert "auth.hmacSecretFile" in said and "clients.wiki.privateKeyFile" in said
    assert "s" * 40 not in said and "PRIVATE KEY" not in said


def test_a_client_that_lacks_what_only_operators_set_is_a_warning(installation):
    """Else nobody hears of it before a person's click ends in a 409."""
    installation.settings["clients"]["okta"] = {"clientId": "app", "clientSecret": "s3cret"}
    installation.write_configuration()
    [line] = [line for line in warnings(installation) if "okta" in line]
    assert "subdomain" in line and "clients.okta.parameters" in line
    installation.settings["clients"]["okta"]["parameters"] = {"subdomain": "acme"}
    installation.write_configuration()
    assert not any("okta" in line for line in warnings(installation))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_secret_that_belongs_to_somebody_else_is_a_warning(installation):
    os.chown(installation.folder / "master.key", 12345, 0)
    assert any("masterKeyFile" in line and "belongs to another user" in line for line in warnings(installation))


@pytest.mark.parametrize("change, is_told", [
    ({}, True),
    ({"http": {"trustedProxies": ["127.0.0.1"]}}, False),
    ({"limits": {"redeemPerAddress": 0, "callbackPerAddress": 0, "authorizePerTenant": 5}}, False),
    ({"http": {"host": "0.0.0.0"}}, False),
    ({"http": {"host": "0.0.0.0", "publicURL": "https://broker.example.com"}}, True),
])
def test_limits_by_address_without_trusted_proxies_are_a_warning(installation, change, is_told):
    """Behind a proxy, one caller could use up everybody's."""
    installation.settings = merged(
        installation.settings, merged({"limits": {"redeemPerAddress": 5}}, change))
    installation.write_configuration()
    assert any("http.trustedProxies" in line for line in warnings(installation)) == is_told


# The environment wins.


def test_the_environment_wins(installation):
    env = {
        "CLOAKROOM_HTTP_PUBLIC_URL": "https://broker.example.com",
        "CLOAKROOM_HTTP_PORT": str(free_port()),
        "CLOAKROOM_FRONTEND_ORIGINS": f"https://third.example.com,{OTHER_APP}",
        "CLOAKROOM_CLIENTS_WIKI_CLIENT_ID": "client-of-the-environment",
        "CLOAKROOM_LIFETIMES_STATE": "42",
        "CLOAKROOM_AUTH_AUDIENCE": "another-audience",
    }
    with Broker(installation, env) as broker:
        options = {"headers": broker.bearer(aud="another-audience"), "exchangeChallenge": challenge_of(new_verifier())}
        response = broker.authorize(**options, returnUrl="https://third.example.com/x")
        assert response.status_code == 200, response.text
        query = httpx.URL(response.json()["authorizationUrl"]).params
        assert query["redirect_uri"] == "https://broker.example.com/oauth/callback/wiki"
        assert query["client_id"] == "client-of-the-environment"
        assert response.json()["expiresAt"] < (time.time() + 60) * 1000
        refused = broker.authorize(**options, returnUrl=f"{APP}/x")
        assert refused.status_code == 400


def test_the_environment_alone_can_configure_a_client(installation):
    env = {"CLOAKROOM_CLIENTS_GOOGLE_CLIENT_ID": "google-client", "CLOAKROOM_CLIENTS_GOOGLE_CLIENT_SECRET": "x"}
    with Broker(installation, env) as broker:
        assert broker.begin("google_drive").query["client_id"] == "google-client"


def test_the_environment_alone_can_give_operators_an_address(installation):
    port = free_port()
    with Broker(installation, {"CLOAKROOM_ADMIN_PORT": str(port), "CLOAKROOM_ADMIN_HOST": "127.0.0.1"}) as broker:
        assert broker.client.get("/metrics").status_code == 404
        assert httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).status_code == 200


def test_a_missing_setting_may_come_from_the_environment(installation):
    installation.settings = merged(installation.settings, {"auth": {"issuer": MISSING}, "masterKeyFile": MISSING})
    installation.write_configuration()
    result = installation.check({
        "CLOAKROOM_AUTH_ISSUER": ISSUER, "CLOAKROOM_MASTER_KEY_FILE": str(installation.folder / "master.key"),
    })
    assert result.returncode == 0, output(result)


@pytest.mark.parametrize("name, value, setting", [
    ("CLOAKROOM_HTTP_PORT", "eighty", "http.port"),
    ("CLOAKROOM_LOG_LEVEL", "loud", "log.level"),
    ("CLOAKROOM_PROVIDER_ALLOW_INSECURE", "perhaps", "provider.allowInsecure"),
    ("CLOAKROOM_LIFETIMES_CREDENTIAL_KEY", "-3", "lifetimes.credentialKey"),
])
def test_a_wrong_value_in_the_environment_is_named(installation, name, value, setting):
    result = installation.check({name: value})
    assert result.returncode == 1, output(result)
    naming = [line for line in output(result).splitlines() if name in line]
    assert len(naming) == 1 and setting in naming[0] and value in naming[0], output(result)


KUBERNETES = {
    "CLOAKROOM_SERVICE_HOST": "10.0.0.1", "CLOAKROOM_SERVICE_PORT": "8080", "CLOAKROOM_SERVICE_PORT_HTTP": "8080",
    "CLOAKROOM_PORT": "tcp://10.0.0.1:8080", "CLOAKROOM_PORT_8080_TCP": "tcp://10.0.0.1:8080",
    "CLOAKROOM_PORT_8080_TCP_ADDR": "10.0.0.1", "CLOAKROOM_PORT_8080_TCP_PORT": "8080",
    "CLOAKROOM_PORT_8080_TCP_PROTO": "tcp",
    # Beside a service called cloakroom-http, in the place of a setting.
    "CLOAKROOM_HTTP_PORT": "tcp://10.0.0.2:80", "CLOAKROOM_HTTP_SERVICE_HOST": "10.0.0.2",
}


@pytest.mark.parametrize("env, guess", [
    (KUBERNETES, None), ({"CLOAKROOM_HTTP_PROT": "8080"}, "CLOAKROOM_HTTP_PORT"),
    ({"CLOAKROOM_PORT": "8080"}, "CLOAKROOM_HTTP_PORT"), ({"CLOAKROOM_NONSENSE": "x"}, None),
    ({"CLOAKROOM_CLIENTS_WIKII_CLIENT_ID": "x"}, "wiki"),
], ids=["kubernetes", "typo", "section", "nonsense", "client"])
def test_an_unknown_name_in_the_environment_is_a_warning(installation, env, guess):
    """Docs/Reference.md#settings: orchestrators put names there that no operator wrote."""
    result = installation.check(env)
    assert result.returncode == 0, output(result)
    for name in env:
        naming = [line for line in output(result).splitlines() if re.search(rf"\b{name}\b", line)]
        assert len(naming) == 1 and naming[0].startswith("warning: environment: "), output(result)
        assert guess is None or f'did you mean "{guess}"?' in naming[0]


def test_the_broker_runs_beside_a_service_that_bears_its_name(installation):
    with Broker(installation, {n: v for n, v in KUBERNETES.items() if n != "CLOAKROOM_HTTP_PORT"}) as broker:
        broker.credentials("wiki")
        assert any("CLOAKROOM_SERVICE_HOST" in line for line in broker.logs.splitlines())


def test_log_lines_are_json_where_asked_for(installation):
    with Broker(installation) as broker:
        broker.credentials("wiki")
        broker.redeem("x")
    lines = [line for line in broker.logs.splitlines() if line.strip()]
    assert lines and all(isinstance(json.loads(line), dict) for line in lines)


def test_log_lines_are_text_where_asked_for(installation):
    installation.settings["log"]["format"] = "text"
    installation.write_configuration()
    with Broker(installation) as broker:
        broker.credentials("wiki")
    assert not any(line.startswith("{") for line in broker.logs.splitlines())


# Catalogs.


@pytest.mark.parametrize("change, field", [
    ({"oauth": {"tokenUrl": "https://example.com/token"}}, "tokenUrl"),
    ({"displayname": "x"}, "displayname"),
    ({"oauth": {"tokenURL": None}}, "tokenURL"),
    ({"oauth": {"authorizationURL": None}}, "authorizationURL"),
    ({"oauth": {"tokenURL": "not an address"}}, "tokenURL"),
    ({"oauth": {"tokenURL": "ftp://example.com/token"}}, "tokenURL"),
    ({"oauth": {"tokenURL": "https://{region}.example.com/token"}}, "tokenURL"),
    ({"oauth": {"pkce": "S512"}}, "pkce"),
    ({"oauth": {"clientAuthentication": "magic"}}, "clientAuthentication"),
    ({"oauth": {"tokenRequestFormat": "xml"}}, "tokenRequestFormat"),
    ({"oauth": {"refreshToken": "perhaps"}}, "refreshToken"),
    ({"oauth": {"scopes": "read write"}}, "scopes"),
    ({"oauth": {"openid": "maybe"}}, "openid"),
    ({"oauth": {"response": {"accessToken": "authed_user.access_token"}}}, "accessToken"),
    ({"oauth": {"response": {"token": "/x"}}}, "token"),
    ({"oauth": {"parameters": {"region": {"pattern": "^[a-z", "description": "x", "required": True}}}}, "pattern"),
    ({"oauth": {"parameters": {"region": {"description": "x", "required": True}}}}, "pattern"),
], ids=json.dumps)
def test_a_wrong_catalog_entry_is_named_with_its_field(installation, provider, change, field):
    entry = merged(source_types(provider)["wiki"], change)
    installation.write_catalog({"wiki": source_types(provider)["wiki"], "wiki_wrong": entry})
    assert_refused(installation.check(), "wiki_wrong", "source-types.yaml", field)
    assert_refused(served_until_exit(installation), "wiki_wrong", "source-types.yaml", field)


@pytest.mark.parametrize("name", ["Wiki", "wiki-2", "2wiki", "", "a" * 65], ids=ascii)
def test_a_wrong_source_type_name_is_refused(installation, provider, name):
    installation.write_catalog({name: source_types(provider)["wiki"]})
    result = installation.check()
    assert result.returncode == 1, output(result)
    assert "source-types.yaml" in output(result) and name in output(result)


@pytest.mark.parametrize("text", ["sourceTypes: [", "just words", "sourceType: {}", "sourceTypes: 5", "sourceTypes:\n  wiki: 5\n"])
def test_a_file_that_is_no_catalog_is_refused_by_name(installation, text):
    installation.write("source-types.yaml", text)
    result = installation.check()
    assert result.returncode == 1, output(result)
    assert "source-types.yaml" in output(result)


def test_a_catalog_file_replaces_built_in_entries(installation, provider):
    ours = source_types(provider)
    installation.write_catalog(ours | {"zendesk": ours["wiki"] | {"displayName": "Our own"}})
    with Broker(installation) as broker:
        items = {item["type"]: item for item in broker.source_types().json()["items"]}
        assert items["zendesk"]["displayName"] == "Our own"
        assert items["google_drive"]["displayName"] != "Our own"
        assert broker.credentials("zendesk")["sourceType"] == "zendesk"


# Databases.


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def assert_database_refused_and_untouched(installation: Installation) -> None:
    before = digest(installation.database)
    result = served_until_exit(installation)
    assert result.returncode == 1, output(result)
    assert "cloakroom.db" in output(result)
    assert "Fatal error" not in output(result)
    assert digest(installation.database) == before


@pytest.mark.parametrize("content", [b"this is no database at all\n" * 200, b"SQLite format 3\x00" + b"\xff" * 8176], ids=["text", "header-only"])
def test_a_file_that_is_no_database_is_refused(installation, content):
    installation.database.write_bytes(content)
    assert_database_refused_and_untouched(installation)


def test_another_programs_database_is_refused(installation):
    with sqlite3.connect(installation.database) as database:
        database.execute("CREATE TABLE customers (name TEXT)")
        database.execute("INSERT INTO customers VALUES ('Ada')")
    database.close()
    assert_database_refused_and_untouched(installation)


def test_a_newer_database_is_refused(installation):
    """Marked as newer in each way that SQLite and GRDB keep a schema's version."""
    Broker(installation).start().stop()
    with sqlite3.connect(installation.database) as database:
        database.execute("PRAGMA user_version = 2000000000")
        if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'grdb_migrations'").fetchone():
            database.execute("INSERT INTO grdb_migrations VALUES ('v999 of a later release')")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    assert_database_refused_and_untouched(installation)


def test_a_damaged_database_is_refused_or_at_least_gives_nothing_out(installation):
    with Broker(installation) as broker:
        keys = [broker.key() for _ in range(20)]
    content = bytearray(installation.database.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    installation.database.write_bytes(content)
    assert_database_refused_and_untouched(installation)
    assert keys


def test_a_database_may_be_opened_again(installation):
    with Broker(installation) as broker:
        key = broker.key()
    with Broker(installation) as broker:
        assert broker.redeem(key).status_code == 200


# The command line.


@pytest.mark.parametrize("arguments", [
    ["nonsense"], ["serve", "--nonsense"], ["serve", "--config"], ["check", "one", "two"], ["master-key", "old"],
    ["token"], ["token", "--tenant", "acme"], ["revoke", "--nonsense"], ["--nonsense"],
], ids=" ".join)
def test_bad_usage_is_exit_status_2(arguments):
    result = run(*arguments)
    assert result.returncode == 2, f"{result.returncode}\n{output(result)}"
    assert result.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["help", "token"]], ids=" ".join)
def test_help_is_no_failure(arguments):
    result = run(*arguments)
    assert result.returncode == 0 and "USAGE" in result.stdout.upper()


def test_a_new_master_key_is_one_line_of_id_and_32_octets():
    lines = [run("master-key", "new").stdout for _ in range(2)]
    for line in lines:
        match = re.fullmatch(r"([A-Za-z0-9._-]+):([A-Za-z0-9+/]+={0,2})\n", line)
        assert match, line
        assert len(base64.b64decode(match[2], validate=True)) == 32
    assert len({line.split(":")[0] for line in lines}) == 2
    assert lines[0] != lines[1]


def test_sources_are_the_items_of_the_api(installation):
    result = run("sources", "--config", installation.config, "--json")
    assert result.returncode == 0, output(result)
    printed = json.loads(result.stdout)
    with Broker(installation) as broker:
        assert (printed["items"] if isinstance(printed, dict) else printed) == broker.source_types().json()["items"]


def test_sources_without_configuration_are_the_built_in_ones():
    result = run("sources", "--json")
    assert result.returncode == 0, output(result)
    printed = json.loads(result.stdout)
    items = printed["items"] if isinstance(printed, dict) else printed
    assert {"google_drive", "zendesk"} <= {item["type"] for item in items}
    assert "google_drive" in run("sources").stdout


@pytest.mark.parametrize("form", ["pem", "jwk"])
def test_a_minted_token_works(installation, form):
    signer = installation.signer
    key = signer.private_pem if form == "pem" else json.dumps(signer.private_jwk)
    installation.write("signing.key", key, mode=0o600)
    result = run(
        "token", "--key", installation.folder / "signing.key", "--tenant", "acme", "--scope", "assets:read",
        "--scope", "assets:write", "--config", installation.config,
    )
    assert result.returncode == 0, output(result)
    token = result.stdout.strip()
    with Broker(installation) as broker:
        assert broker.source_types(headers={"Authorization": f"Bearer {token}"}).status_code == 200
        assert broker.authorize(headers={"Authorization": f"Bearer {token}"}).status_code == 200
        assert broker.source_types("other", headers={"Authorization": f"Bearer {token}"}).status_code == 403


@pytest.mark.parametrize("form", ["pem", "jwk"])
def test_a_token_is_minted_with_each_kind_of_key(installation, form):
    signers = [Signer.new(algorithm) for algorithm in ("ES256", "ES384", "ES512", "RS256", "EdDSA", "Ed25519", "Ed448")]
    installation.write("jwks.json", json.dumps(tokens.jwks(*signers)))
    minted = []
    for signer in signers:
        key, kid = (signer.private_pem, ["--kid", signer.kid]) if form == "pem" else (json.dumps(signer.private_jwk), [])
        installation.write("signing.key", key, mode=0o600)
        result = run(
            "token", "--key", installation.folder / "signing.key", "--tenant", "acme", "--scope", "assets:read",
            "--config", installation.config, *kid,
        )
        assert result.returncode == 0, output(result)
        minted.append(result.stdout.strip())
    with Broker(installation) as broker:
        for signer, token in zip(signers, minted):
            assert jwt.get_unverified_header(token)["kid"] == signer.kid
            answer = broker.source_types(headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 200, signer.algorithm


@pytest.mark.parametrize("key", ["", "key", "{}", '{"kty": "oct", "k": "AAAA"}', "public"])
def test_a_key_that_cannot_sign_is_refused(installation, key):
    key = json.dumps(installation.signer.public_jwk) if key == "public" else key
    installation.write("signing.key", key, mode=0o600)
    result = run(
        "token", "--key", installation.folder / "signing.key", "--tenant", "acme", "--scope", "assets:read", "--config",
        installation.config)
    assert result.returncode == 1 and "holds no private key that can sign" in output(result)


@pytest.mark.parametrize("setting, value", [
    ("tenantClaim", ["tenant"]), ("scopeClaim", "iss"), ("scopeClaim", "exp"), ("tenantClaim", "aud"),
    ("tenantClaim", "scope"),
])
def test_a_token_whose_claims_have_no_name_of_their_own_is_refused(installation, setting, value):
    installation.write("signing.key", installation.signer.private_pem, mode=0o600)
    installation.settings["auth"][setting] = value
    installation.write_configuration()
    result = run(
        "token", "--key", installation.folder / "signing.key", "--tenant", "acme", "--scope", "assets:read", "--config",
        installation.config)
    assert result.returncode == 1 and f"auth.{setting}: found" in result.stderr, output(result)


@pytest.mark.parametrize("command", [
    ["token", "--scope", "assets:read", "--key"],
    ["keys", "--broker", "http://127.0.0.1:1", "--token-file"],
    ["clients", "set", "--broker", "http://127.0.0.1:1", "--tenant", "t", "--source-type", "wiki", "--client-id", "i",
     "--client-secret-file"],
    ["sources", "lint"],
    ["check", "--config"],
])
@pytest.mark.parametrize("file, reason", [("nowhere", "No such file or directory"), (".", "it is a directory")])
def test_a_file_that_cannot_be_read_is_told_with_the_systems_reason(installation, command, file, reason):
    rest = ["--config", installation.config] if command[0] == "token" else []
    result = run(*command, installation.folder / file, *rest)
    assert result.returncode == 1 and reason in result.stderr, output(result)


def test_a_port_in_use_is_said_and_is_exit_status_1(installation):
    with Broker(installation):
        second = Installation(installation.folder / "second", installation.provider, port=installation.port)
        result = served_until_exit(second)
        assert result.returncode == 1, output(result)
        assert "http.port" in output(result) or str(installation.port) in output(result)
        assert "Fatal error" not in output(result)


def test_a_configuration_that_has_a_secret_in_it_is_a_secret_file(installation):
    """Once, however many have theirs in it; not where the environment gives it."""
    for name in ("google", "zendesk"):
        installation.settings["clients"][name] = {"clientId": "app"}
    secrets = {"CLOAKROOM_CLIENTS_GOOGLE_CLIENT_SECRET": "s3cret", "CLOAKROOM_CLIENTS_ZENDESK_CLIENT_SECRET": "s3cret"}
    installation.write_configuration()
    said = installation.check(env=secrets)
    assert said.returncode == 0 and "others can read it" not in said.stderr, output(said)
    for name in ("google", "zendesk"):
        installation.settings["clients"][name]["clientSecret"] = "hunter2-hunter2"
    installation.write_configuration()
    [line] = [line for line in warnings(installation) if str(installation.config) in line]
    assert line.startswith("clientSecret: ") and "644" in line and "others can read it" in line and "chmod 600" in line
    assert "hunter2" not in output(installation.check())
    installation.config.chmod(0o600)
    assert not any(str(installation.config) in line for line in warnings(installation))
