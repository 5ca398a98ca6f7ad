"""`assets:authorize`: what the address carries, and what starts no flow."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from broker import APP, FOREIGN, FOREIGN_ORIGINS, OTHER_APP, Broker, Installation, assert_problem, source_types, text_of
from provider import Provider
from tokens import base64url, challenge_of, new_verifier

RETURN = f"{APP}/connected"


# What is asked.


def test_authorize_gives_an_address_a_flow_and_an_expiry(broker, provider):
    before = time.time() * 1000
    response = broker.authorize("wiki")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    assert body.keys() == {"authorizationUrl", "flow", "expiresAt"}
    assert isinstance(body["expiresAt"], int)
    assert before + 595_000 < body["expiresAt"] < time.time() * 1000 + 605_000
    address = urlsplit(body["authorizationUrl"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{provider.url}/authorize"


def test_the_address_carries_the_code_request(broker):
    """RFC 6749 § 4.1.1 and RFC 7636 § 4.3, each parameter once."""
    query = parse_qs(urlsplit(broker.begin("wiki").authorization_url).query, strict_parsing=True)
    assert all(len(values) == 1 for values in query.values())
    assert query["response_type"] == ["code"]
    assert query["client_id"] == ["wiki-client"]
    assert query["redirect_uri"] == [f"{broker.url}/oauth/callback/wiki"]
    assert query["scope"] == ["read write"]
    assert query["code_challenge_method"] == ["S256"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", query["code_challenge"][0])


def test_a_state_is_short_and_of_url_safe_characters(broker):
    assert re.fullmatch(r"[A-Za-z0-9._~-]{32,64}", broker.begin("wiki").state)


def test_states_flows_and_challenges_are_new_each_time(broker):
    flows = [broker.begin("wiki") for _ in range(20)]
    assert len({flow.state for flow in flows}) == 20
    assert len({flow.flow for flow in flows}) == 20
    assert len({flow.query["code_challenge"] for flow in flows}) == 20


def test_no_challenge_is_sent_where_the_source_type_forbids_pkce(broker):
    query = broker.begin("wiki_unproved").query
    assert "code_challenge" not in query and "code_challenge_method" not in query


def test_scopes_replace_the_source_types_own(broker):
    assert broker.begin("wiki", scopes=["admin"]).query["scope"] == "admin"


def test_scopes_take_the_source_types_separator_and_parameter(broker):
    query = broker.begin("wiki_scopes").query
    assert query["user_scope"] == "read,write"
    assert "scope" not in query
    assert (query["access_type"], query["prompt"]) == ("offline", "consent")


def test_a_parameter_is_put_into_the_host(broker):
    address = urlsplit(broker.begin("wiki_site", parameters={"subdomain": "acme-2"}).authorization_url)
    assert (address.scheme, address.netloc, address.path) == ("https", "acme-2.example.com", "/oauth/authorize")


def test_the_built_in_catalog_knows_zendesk_and_google_drive(another_broker):
    broker = another_broker("built-in", {"clients": {
        "google": {"clientId": "google-client", "clientSecret": "x"},
        "zendesk": {"clientId": "zendesk-client", "clientSecret": "x"},
    }})
    zendesk = broker.begin("zendesk", parameters={"subdomain": "acme"}, scopes=["read"])
    assert urlsplit(zendesk.authorization_url).netloc == "acme.zendesk.com"
    assert zendesk.query["client_id"] == "zendesk-client"
    drive = broker.begin("google_drive")
    assert urlsplit(drive.authorization_url).netloc == "accounts.google.com"
    assert drive.query["client_id"] == "google-client"
    assert drive.query["access_type"] == "offline"


def test_unknown_members_are_ignored(broker):
    assert broker.authorize("wiki", somethingNew={"a": [1]}, state="mine").status_code == 200


# Hints.


@pytest.fixture(scope="module")
def hinted(folder, provider) -> Iterator[Broker]:
    installation = Installation(folder / "hinted", provider, {"clients": {"wiki_public": None}})
    usual = {"authorizationURL": f"{provider.url}/authorize", "tokenURL": f"{provider.url}/token", "scopes": ["read"]}
    openid = {"openid": True, "issuer": provider.url, "jwksURL": f"{provider.url}/jwks.json"}
    installation.write_catalog({
        name: {"displayName": "Wiki", "category": "wiki", "provider": "wiki", "oauth": usual | oauth}
        for name, oauth in {
            "said": {"hints": True, "authorizationParameters": {"prompt": "consent", "access_type": "offline"}},
            "openid": openid, "openid_without": openid | {"hints": False}, "unsaid": {},
            "pushed": {"hints": True, "pushedAuthorizationURL": f"{provider.url}/par"},
        }.items()
    })
    with Broker(installation) as running:
        yield running


@pytest.mark.parametrize("hint, prompt", [
    ("ada@example.com", "select_account"), ("Ada & Co +1?", "login consent"), ("Jürgen@müller.example", "none"),
])
@pytest.mark.parametrize("source_type", ["said", "openid"])
def test_hints_go_along_where_the_provider_takes_them(hinted, source_type, hint, prompt):
    """OpenID Connect Core § 3.1.2.1; RFC 6749 § 3.1: no parameter twice, so a caller's replaces the entry's."""
    flow = hinted.begin(source_type, loginHint=hint, prompt=prompt)
    query = parse_qs(urlsplit(flow.authorization_url).query, strict_parsing=True)
    assert query["login_hint"] == [hint] and query["prompt"] == [prompt]
    assert hint not in hinted.logs
    assert not any(hint.encode() in content for content in hinted.installation.stored().values())


def test_a_hint_is_pushed_with_the_rest(hinted, provider):
    """RFC 9126 § 2.1."""
    flow = hinted.begin("pushed", loginHint="ada@example.com")
    assert flow.query.keys() == {"client_id", "request_uri"}
    assert provider.calls_to("/par")[-1].members["login_hint"] == "ada@example.com"


def test_without_hints_the_entrys_own_stay(hinted):
    query = hinted.begin("said").query
    assert query["prompt"] == "consent" and "login_hint" not in query
    assert "prompt" not in hinted.begin("openid").query
    assert hinted.begin("openid_without").query.keys().isdisjoint({"prompt", "login_hint"})


@pytest.mark.parametrize("member", ["loginHint", "prompt"])
@pytest.mark.parametrize("source_type, value", [
    ("unsaid", "login"), ("openid_without", "login"), ("openid", ""), ("openid", "a" * 2049), ("openid", "a\nb"),
    ("openid", "a\x00"), ("openid", 5), ("openid", ["login"]), ("said", "a\x7f"),
], ids=lambda value: str(value)[:12])
def test_a_hint_that_cannot_be_sent_is_400_and_named(hinted, source_type, value, member):
    body = assert_problem(hinted.authorize(source_type, **{member: value}), 400, "invalid_request")
    assert member in body["detail"]


# What is refused.


@pytest.mark.parametrize("members", [
    {"sourceType": None}, {"sourceType": 5}, {"sourceType": ["wiki"]}, {"sourceType": ""},
    {"parameters": "subdomain=acme"}, {"parameters": ["acme"]},
    {"scopes": "read"}, {"scopes": [1]}, {"scopes": ["read", None]}, {"scopes": {"read": True}},
    {"returnUrl": 5}, {"returnUrl": {}}, {"exchangeChallenge": 5}, {"frontendOrigin": 5},
], ids=str)
def test_a_member_of_the_wrong_kind_is_400_and_named(broker, members):
    response = broker.authorize(**({"source_type": "wiki"} | {
        "source_type" if name == "sourceType" else name: value for name, value in members.items()
    }))
    body = assert_problem(response, 400, {"invalid_request", "unknown_source_type", "invalid_parameter"})
    assert next(iter(members)) in body["detail"]


def test_a_missing_source_type_is_400(broker):
    response = broker.client.post("/v1/tenants/acme/assets:authorize", json={}, headers=broker.bearer())
    assert "sourceType" in assert_problem(response, 400, "invalid_request")["detail"]


@pytest.mark.parametrize("scope", ["", "a b", "a\nb", 'a"b', "a\\b", "a\x00", "é", "a\tb"], ids=ascii)
def test_a_scope_that_is_no_scope_token_is_400(broker, scope):
    """RFC 6749 § 3.3."""
    assert_problem(broker.authorize("wiki", scopes=["read", scope]), 400, "invalid_request")


def test_an_unknown_source_type_is_400(broker):
    assert_problem(broker.authorize("nothing_like_it"), 400, "unknown_source_type")


@pytest.mark.parametrize("name", ["Wiki", "wiki-2", "2wiki", "wiki\n", "wiki/../x", "a" * 65, "wi\u212ai", "wiki\u0301"], ids=ascii)
def test_a_source_type_outside_the_pattern_is_400(broker, name):
    assert_problem(broker.authorize(name), 400, {"invalid_request", "unknown_source_type"})


def test_a_source_type_without_oauth_is_400(broker):
    assert_problem(broker.authorize("wiki_upload"), 400, "source_type_without_oauth")


def test_a_source_type_without_client_is_409(broker):
    assert_problem(broker.authorize("wiki_unconfigured"), 409, "source_type_not_configured")


def test_a_missing_parameter_is_400_and_named(broker):
    for parameters in ({}, {"subdomain": ""}, None):
        response = broker.authorize("wiki_site", **({} if parameters is None else {"parameters": parameters}))
        assert "subdomain" in assert_problem(response, 400, "invalid_parameter")["detail"]


def test_an_unknown_parameter_is_400(broker):
    response = broker.authorize("wiki_site", parameters={"subdomain": "acme", "region": "eu"})
    assert_problem(response, 400, "invalid_parameter")
    assert_problem(broker.authorize("wiki", parameters={"region": "eu"}), 400, "invalid_parameter")


@pytest.mark.parametrize("value", [
    "acme\n", "\nacme", "acme\r\n", "Acme", "acme.evil", "..", ".", "acme/..", "acme%2f", "acme@evil", "evil/#", "acme:80",
    "acme\\", "acme ", " acme", "acme\x00", "acme\t", "acm\u00e9", "acme\u0301", "\uff41cme", "acme\u2028", "acme?x",
    "{subdomain}", "$1", "a" * 64, "-acme", "xn--\u00e4", "acme\u200b",
], ids=ascii)
def test_a_host_label_outside_its_pattern_is_400(broker, value):
    response = broker.authorize("wiki_site", parameters={"subdomain": value})
    assert "subdomain" in assert_problem(response, 400, "invalid_parameter")["detail"]


@pytest.mark.parametrize("value", ["\u0661\u0662", "\uff11\uff12", "12\n", "1 2", "-1", "1e3", "123456789", "\u09e7", "1\u20e3"], ids=ascii)
def test_only_ascii_digits_match_a_digit_class(broker, value):
    assert_problem(broker.authorize("wiki_account", parameters={"account": value}), 400, "invalid_parameter")


@pytest.mark.parametrize("value", ["\u212a", "\u00c5", "\u212b", "a\u0308", "\u017f", "A\r\n"], ids=ascii)
def test_only_ascii_letters_match_a_letter_class(broker, value):
    """Kelvin and Angstrom signs are canonically equal to letters, the long s folds to one."""
    assert_problem(broker.authorize("wiki_letters", parameters={"name": value}), 400, "invalid_parameter")


@pytest.mark.parametrize("value", [5, None, True, ["acme"], {"a": "b"}], ids=str)
def test_a_parameter_that_is_no_string_is_400(broker, value):
    response = broker.authorize("wiki_site", parameters={"subdomain": value})
    assert_problem(response, 400, {"invalid_parameter", "invalid_request"})


@pytest.fixture(scope="module")
def lax_broker(folder: Path, provider: Provider) -> Iterator[Broker]:
    """A broker whose catalog has careless patterns."""
    anything = {"value": {"pattern": "^[\\s\\S]{1,200}$", "description": "Anything", "required": True}}

    def lax(authorization_url: str) -> dict:
        oauth = {"authorizationURL": authorization_url, "tokenURL": "https://wiki.example.com/token", "parameters": anything}
        return {"displayName": "Lax", "category": "wiki", "provider": "wiki", "oauth": oauth}

    installation = Installation(folder / "lax", provider)
    installation.write_catalog(source_types(provider) | {
        "lax_host": lax("https://{value}.example.com/authorize"),
        "lax_path": lax("https://wiki.example.com/sites/{value}/authorize"),
    })
    with Broker(installation) as running:
        yield running


@pytest.mark.parametrize("value", [
    "evil.example.net/", "evil.example.net#", "evil.example.net?", "user@evil.example.net", "evil.example.net\\", "a:b@evil",
    "evil.example.net%2f", "evil.example.net\t/", "../..", "a b",
])
def test_even_under_a_lax_pattern_no_value_changes_host_or_path(lax_broker, value):
    """The catalog's pattern may be careless; the address must not be."""
    response = lax_broker.authorize("lax_host", parameters={"value": value})
    if response.status_code == 200:
        address = urlsplit(response.json()["authorizationUrl"])
        assert address.hostname.endswith(".example.com") and address.username is None and address.path == "/authorize"
    else:
        assert_problem(response, 400, "invalid_parameter")
    response = lax_broker.authorize("lax_path", parameters={"value": value})
    if response.status_code == 200:
        address = urlsplit(response.json()["authorizationUrl"])
        assert address.netloc == "wiki.example.com"
        assert re.fullmatch(r"/sites/[^/]+/authorize", address.path) and "/../" not in address.path
        assert not address.fragment and "response_type=code" in address.query
    else:
        assert_problem(response, 400, "invalid_parameter")


# Long and slow values.


def test_no_value_is_kept_beyond_2_kib(broker, lax_broker):
    long = "a" * 2049
    assert_problem(lax_broker.authorize("lax_path", parameters={"value": long}), 400, "invalid_parameter")
    assert_problem(broker.authorize("wiki_account", parameters={"account": "1" * 2049}), 400, "invalid_parameter")
    scopes = [f"{'s' * 124}{number:03}" for number in range(16)]
    assert broker.authorize("wiki", scopes=scopes).status_code == 200
    assert_problem(broker.authorize("wiki", scopes=scopes + ["s"]), 400, "invalid_request")
    assert_problem(broker.authorize("wiki", returnUrl=f"{RETURN}?{long}"), 400, "invalid_request")


@pytest.fixture(scope="module")
def slow_broker(folder: Path, provider: Provider) -> Iterator[Broker]:
    """A broker with patterns on which a backtracking matcher never ends."""
    client = {"clientId": "microsoft-client", "clientSecret": "x"}
    installation = Installation(folder / "slow", provider, {"clients": {"microsoft": client}})
    usual = {"authorizationURL": "https://wiki.example.com/a", "tokenURL": "https://wiki.example.com/t"}

    def entry(name: str, pattern: str) -> dict:
        oauth = usual | {"parameters": {"p0": {"pattern": pattern}}}
        return {"displayName": "Slow", "category": "wiki", "provider": name, "oauth": oauth}

    installation.write_catalog(source_types(provider) | {
        "slow": entry("wiki", "^(a+)+$"), "slower": entry("wiki", "^(.*a){20}$"),
        "unset": entry("unset", "^(a|aa)+$")})
    with Broker(installation) as running:
        yield running


@pytest.mark.parametrize("source_type, name, unit", [
    ("onedrive", "tenantId", "aa."), ("teams", "tenantId", "aa."), ("slow", "p0", "a"), ("slower", "p0", "a"),
])
def test_no_value_makes_its_pattern_slow(slow_broker, source_type, name, unit):
    """CWE-1333: a few dozen bytes kept a core busy for good, at authorize and at refresh."""
    value = (unit * 2048)[:2047] + "-"
    began = time.monotonic()
    for _ in range(20):
        assert_problem(slow_broker.authorize(source_type, parameters={name: value}), 400, "invalid_parameter")
    refresh = {"sourceType": source_type, "refreshToken": "t", "parameters": {name: value}}
    response = slow_broker.client.post(
        "/v1/tenants/acme/assets:refreshCredentials", headers=slow_broker.bearer(scope="credentials:write"), json=refresh)
    assert_problem(response, 400, "invalid_parameter")
    assert time.monotonic() - began < 10
    assert slow_broker.client.get("/healthz").status_code == 200


def test_what_cannot_begin_is_told_before_any_value_is_matched(slow_broker):
    for parameters in ({"p0": "a" * 2047 + "-"}, {"no": "such"}, {"p0": "a" * 9999}):
        assert_problem(slow_broker.authorize("unset", parameters=parameters), 409, "source_type_not_configured")
        response = slow_broker.client.post(
            "/v1/tenants/acme/assets:refreshCredentials", headers=slow_broker.bearer(scope="credentials:write"),
            json={"sourceType": "unset", "refreshToken": "t", "parameters": parameters})
        assert_problem(response, 409, "source_type_not_configured")


@pytest.mark.parametrize("name, parameter", [
    ("okta", "subdomain"), ("servicenow", "instance"), ("kintone", "subdomain"), ("netsuite", "accountId"),
    ("sharefile", "subdomain"), ("github_enterprise", "host"),
])
def test_no_caller_chooses_which_instance_gets_the_client_secret(instance_broker, name, parameter):
    """CVE-2023-36019: at authorize, and in one refresh or revocation."""
    for value in ("acme", "evil", "evil.example.net"):
        response = instance_broker.authorize(name, parameters={parameter: value})
        assert parameter in assert_problem(response, 400, "invalid_parameter")["detail"]
        for call, members in (("refreshCredentials", {"refreshToken": "t"}), ("revokeCredentials", {"token": "t"})):
            response = instance_broker.client.post(
                f"/v1/tenants/acme/assets:{call}", headers=instance_broker.bearer(scope="credentials:write"),
                json={"sourceType": name, "parameters": {parameter: value}} | members)
            assert_problem(response, 400, "invalid_parameter")
    assert "acme" in urlsplit(instance_broker.begin(name).authorization_url).netloc or name == "sharefile"


@pytest.fixture(scope="module")
def instance_broker(folder: Path, provider: Provider) -> Iterator[Broker]:
    """A broker with clients of one instance each."""
    own = {"okta": "subdomain", "servicenow": "instance", "kintone": "subdomain", "netsuite": "accountId",
           "sharefile": "subdomain"}
    clients = {
        name: {"clientId": "a", "clientSecret": "x", "parameters": {parameter: "acme"}} for name, parameter in own.items()}
    clients["github_enterprise"] = {"clientId": "a", "clientSecret": "x", "parameters": {"host": "acme.example.com"}}
    with Broker(Installation(folder / "instances", provider, {"clients": clients})) as running:
        yield running


# returnUrl and frontendOrigin.


@pytest.mark.parametrize("url", [RETURN, f"{RETURN}?a=b&c=%20d", APP, f"{OTHER_APP}/x"])
def test_a_return_url_of_a_frontend_is_taken(broker, url):
    assert broker.authorize("wiki", returnUrl=url, exchangeChallenge=challenge_of(new_verifier())).status_code == 200
    assert "exchangeChallenge" in assert_problem(broker.authorize("wiki", returnUrl=url), 400, "invalid_request")["detail"]


@pytest.mark.parametrize("url", [
    FOREIGN, f"{FOREIGN}/?{APP}", "http://app.example.com/x", f"{APP}:8443/x", "https://second.example.com/x",
    "https://example.com/x", "https://sub.app.example.com/x", f"{APP}.evil.example.net/", f"{APP}evil.net/", f"{APP}./x",
    f"{APP}@evil.example.net/", f"{APP}:x@evil.example.net/", f"{APP}%40evil.example.net/", f"{APP}%2eevil.net/",
    "https://user@app.example.com/x", "https://user:word@app.example.com/x", "https://@app.example.com/x",
    f"{APP}/x#fragment", f"{APP}/x#", f"{APP}#",
    f"{APP}\\@evil.example.net/", f"{APP}\\.evil.example.net/", "https:\\\\app.example.com/x", f"{FOREIGN}\\@app.example.com/",
    "https://app.exam\tple.com/x", "https://evil.example.net\t@app.example.com", f"\t{RETURN}", f" {RETURN}", f"{RETURN}\n",
    f"{RETURN} ", f"{APP}/x\r\nSet-Cookie: a=b", f"{APP}/\x00", "java\nscript:alert(1)",
    "//app.example.com/x", "///app.example.com/x", "/x", "x", "", "https:app.example.com/x", "https:/app.example.com/x",
    "https:///app.example.com/x", "https://", "https://:443/x", f"{APP}:x/", f"{APP}:99999/",
    "javascript:alert(1)//https://app.example.com", "data:text/html,x", f"blob:{APP}/x", f"view-source:{APP}/x",
    "https://app\u3002example.com/x", "https://\uff41pp.example.com/x", "https://app.example.com\uff0fx@evil.example.net",
    "https://[app.example.com]/x", "https://[::1]/x", f"{APP}/" + "x" * 10_000,
], ids=ascii)
def test_any_other_return_url_is_400(broker, url):
    body = assert_problem(broker.authorize("wiki", returnUrl=url, exchangeChallenge=challenge_of(new_verifier())), 400, "invalid_request")
    assert "returnUrl" in body["detail"]


def test_a_foreign_frontend_origin_is_400(broker):
    for origin in FOREIGN_ORIGINS:
        assert_problem(broker.authorize("wiki", frontendOrigin=origin), 400, "invalid_request")


def test_a_call_from_a_foreign_origin_starts_no_flow_for_it(broker, provider):
    response = broker.authorize("wiki", headers={"Origin": FOREIGN})
    if response.status_code == 200:
        state = parse_qs(urlsplit(response.json()["authorizationUrl"]).query)["state"][0]
        page = broker.callback({"error": "access_denied", "state": state}, headers={"Accept": "text/html"})
        assert FOREIGN not in text_of(page)
    else:
        assert response.status_code in (400, 403)


@pytest.mark.parametrize("headers, members, expected", [
    ({}, {}, APP),
    ({"Origin": OTHER_APP}, {}, OTHER_APP),
    ({}, {"frontendOrigin": OTHER_APP}, OTHER_APP),
    ({"Origin": OTHER_APP}, {"frontendOrigin": APP}, OTHER_APP),
], ids=["first", "header", "member", "header-wins"])
def test_the_failure_page_speaks_to_the_flows_frontend_origin_only(broker, headers, members, expected):
    flow = broker.begin("wiki", headers=headers, **members)
    page = text_of(broker.callback({"error": "access_denied", "state": flow.state}, headers={"Accept": "text/html"}))
    assert expected in page
    assert ({APP, OTHER_APP} - {expected}).pop() not in page


# exchangeChallenge.


def test_a_challenge_of_43_base64url_characters_is_taken(broker):
    assert broker.authorize("wiki", exchangeChallenge=challenge_of(new_verifier())).status_code == 200


@pytest.mark.parametrize("challenge", [
    "", "abc", "a" * 42, "a" * 44, "a" * 43 + "=", "a" * 42 + "+", "a" * 42 + "/", "a" * 42 + "\n", "a" * 42 + " ",
    "a" * 42 + "\u00e9", "a" * 42 + "~", "a" * 128, base64url(bytes(20)), "0" * 64,
], ids=ascii)
def test_any_other_challenge_is_400(broker, challenge):
    """RFC 7636 § 4.2: S256 is 32 octets, so 43 characters; there is no `plain` here."""
    body = assert_problem(broker.authorize("wiki", exchangeChallenge=challenge), 400, "invalid_request")
    assert "exchangeChallenge" in body["detail"]
