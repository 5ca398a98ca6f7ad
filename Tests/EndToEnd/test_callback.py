"""`/oauth/callback`: the browser comes back from the provider."""

import re
from urllib.parse import parse_qs

import pytest

import provider as answers
from broker import APP, FOREIGN, Broker, assert_problem, fragment, text_of, wait_until
from provider import Grant, Provider, callback_path
from tokens import challenge_of, new_verifier

RETURN = f"{APP}/connected"
CHALLENGE = challenge_of(new_verifier())


def assert_state_unspent(broker: Broker, provider: Provider, grant: Grant) -> None:
    assert provider.exchanges(grant) == []
    broker.finish(grant)


# Well.


def test_a_good_callback_redirects_to_the_success_page(broker, provider):
    flow = broker.begin("wiki")
    response = broker.callback(provider.consent(flow.authorization_url).callback)
    assert response.status_code == 302
    address, _, members = response.headers["location"].partition("#")
    assert address == f"{broker.url}/oauth/success"
    assert set(parse_qs(members)) == {"credentialKey", "sourceType", "flow"}
    assert fragment(response)["sourceType"] == "wiki"
    assert fragment(response)["flow"] == flow.flow
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"


def test_a_form_post_callback_is_answered_with_303(broker):
    """OAuth 2.0 Form Post Response Mode § 2."""
    response = broker.callback(broker.consented().callback, method="POST")
    assert response.status_code == 303
    assert broker.redeem(fragment(response)["credentialKey"]).status_code == 200


def test_a_return_url_gets_the_key_in_its_fragment(broker, provider):
    verifier = new_verifier()
    flow = broker.begin("wiki", returnUrl=f"{RETURN}?tab=2", exchangeChallenge=challenge_of(verifier))
    response = broker.callback(provider.consent(flow.authorization_url).callback)
    assert response.status_code == 302
    assert response.headers["location"].startswith(f"{RETURN}?tab=2#")
    members = fragment(response)
    assert (members["sourceType"], members["flow"]) == ("wiki", flow.flow)
    assert_problem(broker.redeem(members["credentialKey"]), 400, "invalid_credential_key")
    assert broker.redeem(members["credentialKey"], exchangeVerifier=verifier).status_code == 200


def test_a_form_post_callback_with_a_return_url_is_303_too(broker):
    response = broker.callback(broker.consented(returnUrl=RETURN, exchangeChallenge=CHALLENGE).callback, method="POST")
    assert response.status_code == 303
    assert response.headers["location"].startswith(f"{RETURN}#")


def test_the_success_page_allows_no_inline_script_and_is_not_stored(broker):
    response = broker.client.get("/oauth/success")
    assert response.status_code == 200
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert response.headers["cache-control"] == "no-store"
    assert "cross-origin-opener-policy" not in response.headers  # it must reach its opener


@pytest.mark.parametrize("source_type", [
    "wiki", "wiki_post", "wiki_public", "wiki_json", "wiki_unproved", "wiki_account", "wiki_scopes",
])
def test_the_provider_gets_the_token_request_it_wants(broker, provider, source_type):
    """The provider verifies client, redirect address and PKCE before it gives tokens."""
    parameters = {"parameters": {"account": "42"}} if source_type == "wiki_account" else {}
    grant = broker.consented(source_type, **parameters)
    broker.finish(grant)
    (call,) = provider.exchanges(grant)
    assert ("code_verifier" in call.members) == (source_type != "wiki_unproved")
    assert call.headers["content-type"].startswith(
        "application/json" if source_type == "wiki_json" else "application/x-www-form-urlencoded"
    )
    assert ("authorization" in call.headers) == (source_type not in ("wiki_post", "wiki_public", "wiki_json"))
    if source_type == "wiki_post":
        assert call.members["audience"] == "wiki-api" and call.headers["x-api-version"] == "2"
    if source_type == "wiki_account":
        assert call.path == "/accounts/42/token"


@pytest.mark.parametrize("code", ["4/0Ab+c=d&e%20 f", "a" * 2000, "M.C5_BAY:2~!*$", "x?y#z"], ids=lambda code: code[:12])
def test_a_code_of_any_characters_reaches_the_provider_whole(broker, provider, code):
    grant = provider.consent(broker.begin("wiki").authorization_url, code=code)
    broker.finish(grant)


def test_the_right_issuer_is_taken(broker, provider):
    """RFC 9207 § 2.4."""
    for source_type in ("wiki_issuer", "wiki_issuer_required"):
        broker.finish(broker.consented(source_type), iss=f"{provider.url}/issuer")


def test_a_missing_issuer_is_taken_unless_it_is_required(broker):
    broker.finish(broker.consented("wiki_issuer"))


# Badly.


@pytest.mark.parametrize("members", [
    {"code": "x"}, {"code": "x", "state": ""}, {"code": "x", "state": "A" * 43}, {"code": "x", "state": "é\x00"},
    {"code": "x", "state": "A" * 5000}, {"error": "access_denied", "state": "A" * 43}, {"error": "access_denied"}, {},
], ids=["missing", "empty", "unknown", "garbage", "long", "error", "error-alone", "nothing"])
def test_a_state_that_is_not_ours_is_400(broker, members):
    assert_problem(broker.callback(members), 400, "invalid_state")


def test_a_tampered_state_is_400_and_spends_nothing(broker, provider):
    """Not even the spare bits of its last character may be changed."""
    grant = broker.consented()
    state = grant.state
    spares = [state[:-1] + other for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" if other != state[-1]]
    for other in [state[::-1], state[1:], state + "A", state + "=", state.swapcase(), f" {state}", f"{state}\n", *spares]:
        assert_problem(broker.callback({"code": grant.code, "state": other}), 400, "invalid_state")
    assert_state_unspent(broker, provider, grant)


def test_a_repeated_state_is_400(broker, provider):
    grant = broker.consented()
    members = [("code", grant.code), ("state", grant.state), ("state", grant.state)]
    assert_problem(broker.callback(members), 400, "invalid_state")
    assert provider.exchanges(grant) == []


def test_a_replayed_state_is_400(broker, provider):
    grant = broker.consented()
    broker.finish(grant)
    assert_problem(broker.callback(grant.callback), 400, "invalid_state")
    assert len(provider.exchanges(grant)) == 1


def test_an_expired_state_is_400(another_broker):
    broker = another_broker("short", {"lifetimes": {"state": 1}})
    flow = broker.begin("wiki")
    grant = broker.provider.consent(flow.authorization_url)
    wait_until(flow.expires_at)
    assert_problem(broker.callback(grant.callback), 400, "invalid_state")
    assert broker.provider.exchanges(grant) == []


def test_all_bad_states_get_one_answer(broker):
    """Nobody learns whether a state ever existed, nor whether one waits for another address."""
    spent, elsewhere = broker.consented(), broker.begin("wiki_post")
    broker.finish(spent)
    bodies = []
    for state in ("A" * 43, "x", "", spent.state, elsewhere.state):
        response = broker.callback({"code": "x", "state": state}, at="/oauth/callback/wiki")
        body = assert_problem(response, 400, "invalid_state")
        del body["requestId"]
        bodies.append(body)
    assert all(body == bodies[0] for body in bodies)


def test_a_state_of_one_flow_cannot_carry_the_code_of_another(broker, provider):
    """RFC 9700 § 4.5: code injection ends at the PKCE verifier."""
    mine, other = broker.consented(), broker.consented()
    response = broker.callback({"code": other.code, "state": mine.state})
    assert_problem(response, 502, "provider_rejected")


@pytest.mark.parametrize("error", ["access_denied", "temporarily_unavailable", "consent_required"])
def test_the_providers_error_is_the_answer(broker, error):
    """RFC 6749 § 4.1.2.1."""
    flow = broker.begin("wiki")
    assert_problem(broker.callback({"error": error, "state": flow.state}), 400, error)


@pytest.mark.parametrize("error", ['"><script>alert(1)</script>', "", "a b", "x" * 5000, "A\r\nB: c", "\u0000"], ids=ascii)
def test_a_wild_error_is_400_and_not_echoed_as_a_code(broker, error):
    flow = broker.begin("wiki")
    response = broker.callback({"error": error, "state": flow.state})
    assert response.status_code == 400
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,63}", response.json()["code"])


def test_a_denied_flow_is_spent(broker, provider):
    grant = broker.consented()
    assert_problem(broker.callback({"error": "access_denied", "state": grant.state}), 400, "access_denied")
    assert_problem(broker.callback(grant.callback), 400, "invalid_state")
    assert provider.exchanges(grant) == []


def test_a_callback_without_code_is_400(broker):
    for members in ({}, {"code": ""}):
        flow = broker.begin("wiki")
        assert_problem(broker.callback(members | {"state": flow.state}), 400, "invalid_callback")


def test_a_repeated_code_is_400_and_not_sent(broker, provider):
    grant = broker.consented()
    members = [("code", grant.code), ("code", grant.code), ("state", grant.state)]
    assert_problem(broker.callback(members), 400, "invalid_callback")
    assert provider.exchanges(grant) == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_with_both_code_and_error_the_code_is_not_sent(broker, provider, method):
    grant = broker.consented()
    response = broker.callback(grant.callback | {"error": "access_denied"}, method=method)
    assert_problem(response, 400, {"invalid_callback", "access_denied"})
    assert provider.exchanges(grant) == []


@pytest.mark.parametrize("issuer", [
    "https://evil.example.net", "{url}/issuer/", "{url}/ISSUER", "{url}", "", "{url}/issuer%20",
], ids=["foreign", "slash", "case", "shorter", "empty", "longer"])
def test_another_issuer_is_400_and_the_code_is_not_sent(broker, provider, issuer):
    """RFC 9207 § 2.4: simple string comparison."""
    grant = broker.consented("wiki_issuer_required")
    response = broker.callback(grant.callback | {"iss": issuer.format(url=provider.url)})
    assert_problem(response, 400, "issuer_mismatch")
    assert provider.exchanges(grant) == []
    assert_problem(broker.callback(grant.callback | {"iss": f"{provider.url}/issuer"}), 400, "invalid_state")


def test_a_missing_issuer_is_400_where_it_is_required(broker, provider):
    grant = broker.consented("wiki_issuer_required")
    assert_problem(broker.callback(grant.callback), 400, "issuer_mismatch")
    assert provider.exchanges(grant) == []


def test_an_error_from_another_issuer_is_no_provider_error(broker):
    """RFC 9207 § 2.4: error responses are checked too."""
    flow = broker.begin("wiki_issuer")
    response = broker.callback({"error": "access_denied", "state": flow.state, "iss": FOREIGN})
    assert_problem(response, 400, "issuer_mismatch")


def test_a_refused_code_is_502(broker):
    grant = broker.consented(answer=answers.refusal("invalid_grant", error_description="code expired"))
    assert_problem(broker.callback(grant.callback), 502, "provider_rejected")
    assert_problem(broker.callback(grant.callback), 400, "invalid_state")


def test_an_unreachable_provider_is_502(broker):
    for source_type in ("wiki_closed", "wiki_tls"):
        assert_problem(broker.callback(broker.consented(source_type).callback), 502, "provider_unreachable")


def test_a_form_post_callback_of_another_media_type_is_415(broker, provider):
    grant = broker.consented()
    response = broker.client.post("/oauth/callback", json=grant.callback, headers={"Accept": "application/json"})
    assert_problem(response, 415, "unsupported_media_type")
    assert_state_unspent(broker, provider, grant)


@pytest.mark.parametrize("members, code", [
    ({"error": "access_denied"}, "access_denied"),
    ({}, "invalid_callback"),
    ({"code": "wrong"}, "provider_rejected"),
], ids=["denied", "no-code", "rejected"])
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize("method, status", [("GET", 302), ("POST", 303)])
def test_with_a_return_url_failure_is_a_redirect_whatever_is_accepted(broker, members, code, accept, method, status):
    flow = broker.begin("wiki", returnUrl=RETURN, exchangeChallenge=CHALLENGE)
    response = broker.callback(members | {"state": flow.state}, method=method, headers={"Accept": accept})
    assert response.status_code == status
    assert response.headers["location"].startswith(f"{RETURN}#")
    told = fragment(response)
    assert (told["error"], told["flow"]) == (code, flow.flow)
    assert "credentialKey" not in told


def test_a_bad_state_never_redirects(broker):
    grant = broker.consented(returnUrl=RETURN, exchangeChallenge=CHALLENGE)
    broker.callback(grant.callback)
    response = broker.callback(grant.callback)
    assert_problem(response, 400, "invalid_state")
    assert "location" not in response.headers


@pytest.mark.parametrize("headers", [{"Accept": "text/html"}, {"Accept": "*/*"}], ids=str)
def test_a_browser_gets_a_page_that_says_what_happened(broker, headers):
    flow = broker.begin("wiki")
    response = broker.callback({"error": "access_denied", "state": flow.state}, headers=headers)
    assert response.status_code == 400
    page = text_of(response)
    assert "<title>" in page and "lang=" in page
    assert response.headers["cache-control"] == "no-store"
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert flow.state not in page


def test_a_bad_state_is_a_page_too(broker):
    response = broker.callback({"code": "x", "state": "nothing"}, headers={"Accept": "text/html"})
    assert response.status_code == 400
    assert APP not in text_of(response)  # nobody is told: the flow is unknown


@pytest.mark.parametrize("description", [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"'><svg onload=alert(1)>", "</script><script>alert(1)//",
    "{{{error}}}", "\u202e<b>", "]]><script>alert(1)</script>",
], ids=ascii)
def test_a_hostile_error_description_is_only_text(broker, description):
    flow = broker.begin("wiki")
    for member in ("error_description", "error_uri", "error"):
        flow = broker.begin("wiki")
        members = {"error": "access_denied", "state": flow.state} | {member: description}
        page = broker.callback(members, headers={"Accept": "text/html"}).text
        for markup in ("<script>alert", "<img src=x", "<svg onload", "<b>"):
            assert markup not in page


# What spends nothing.


PARTS_OF_PAGES = [
    "audio", "embed", "font", "image", "manifest", "object", "script", "style", "track", "video", "worker", "sharedworker",
    "serviceworker",
]


@pytest.mark.parametrize("method, headers", [
    ("HEAD", {}), ("GET", {"Sec-Purpose": "prefetch"}), ("GET", {"Sec-Purpose": "prefetch;prerender"}),
    ("GET", {"Sec-Purpose": "prefetch;anonymous-client-ip"}), ("GET", {"Purpose": "prefetch"}),
    ("GET", {"Purpose": "preview"}), ("GET", {"X-Purpose": "preview"}), ("GET", {"X-Moz": "prefetch"}),
    *[("GET", {"Sec-Fetch-Dest": part}) for part in PARTS_OF_PAGES],
], ids=["head", "prefetch", "prerender", "proxied", "purpose", "preview", "safari", "firefox", *PARTS_OF_PAGES])
def test_a_look_ahead_spends_no_state(broker, provider, method, headers):
    """RFC 9110 § 9.3.2: HEAD is safe; Sec-Purpose: nobody has clicked yet (503 is how a prefetch is turned down)."""
    grant = broker.consented()
    response = broker.callback(grant.callback, method=method, headers=headers)
    assert response.status_code < 500 or response.status_code == 503
    assert "credentialKey" not in response.headers.get("location", "")
    assert_state_unspent(broker, provider, grant)


# Slashes.


@pytest.mark.parametrize("change", [
    "{path}/", "{path}//", "/{path}", "//oauth//callback//{name}", "/oauth/callback//{name}/",
], ids=["trailing", "two-trailing", "leading", "everywhere", "before-the-name"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_slashes_too_many_mean_the_same_address(broker, provider, change, method):
    """Some providers add one, and some redirect addresses are put together with one too many."""
    grant = broker.consented()
    path = callback_path(grant.callback)
    # A path that begins with two slashes is no address to a client, so it is told the host besides.
    at = f"{broker.url}{change.format(path=path, name=path.rpartition('/')[2])}"
    assert broker.callback(grant.callback, method=method, at=at).status_code == {"GET": 302, "POST": 303}[method]
    assert len(provider.exchanges(grant)) == 1


@pytest.mark.parametrize("path", ["/oauth/callback/", "//oauth/callback", "/oauth/callback//", "/oauth//callback/wiki//"])
def test_a_browser_gets_a_page_whatever_the_slashes(broker, path):
    response = broker.client.get(f"{broker.url}{path}?code=c&state=s", headers={"Accept": "text/html"})
    assert response.status_code == 400
    assert "no longer valid" in text_of(response)


@pytest.mark.parametrize("headers", [
    {"Content-Type": "text/plain"}, {}, {"Content-Type": "application/json"},
], ids=["text", "none", "json"])
def test_a_browser_gets_a_page_where_its_post_is_refused(broker, headers):
    response = broker.client.post("/oauth/callback/wiki", content=b"code=c", headers={"Accept": "text/html"} | headers)
    assert response.status_code == 415
    assert "<title>" in text_of(response)
