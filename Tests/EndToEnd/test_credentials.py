"""`assets:oauthCredentials` and `assets:oauthFlow`: the ticket is shown, once."""

import time

import httpx
import pytest

import provider as answers
from broker import APP, assert_problem, encoded, wait_until
from tokens import challenge_of, new_verifier


# oauthCredentials.


def test_redemption_gives_the_whole_credentials(broker):
    grant = broker.consented()
    key = broker.finish(grant)
    before = time.time() * 1000
    response = broker.redeem(key)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"].startswith("application/json")
    body = response.json()
    expires_at = body.pop("expiresAt")
    assert isinstance(expires_at, int) and before + 3_500_000 < expires_at < time.time() * 1000 + 3_605_000
    assert body == {
        "accessToken": grant.access_token, "refreshToken": grant.refresh_token, "tokenType": "Bearer",
        "scope": "read write", "sourceType": "wiki", "idToken": None, "extras": {}, "warnings": [],
    }


def test_redemption_by_post_keeps_the_key_out_of_the_address(broker):
    key = broker.key()
    response = broker.redeem_by_post(key)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert_problem(broker.redeem_by_post(key), 400, "invalid_credential_key")


def test_redemption_needs_no_token_and_minds_no_bad_one(broker):
    assert broker.redeem(broker.key(), headers={"Authorization": "Bearer nonsense"}).status_code == 200


def test_members_that_the_provider_left_out_are_null(broker):
    body = broker.credentials(answer=answers.tokens(refresh_token=None, expires_in=None, scope=None, token_type=None))
    assert (body["refreshToken"], body["expiresAt"], body["tokenType"]) == (None, None, "Bearer")
    assert "idToken" in body and "scope" in body


@pytest.mark.parametrize("source_type, changes, warning", [
    ("wiki_offline", {"refresh_token": None}, "missing_refresh_token"),
    ("wiki", {"scope": "read"}, "scope_reduced"),
    ("wiki", {"expires_in": None}, "expiry_unknown"),
])
def test_warnings_tell_what_will_hurt_later(broker, source_type, changes, warning):
    assert broker.credentials(source_type, answers.tokens(**changes))["warnings"] == [warning]


def test_nothing_is_warned_of_without_cause(broker):
    assert broker.credentials("wiki", answers.tokens(refresh_token=None))["warnings"] == []
    assert broker.credentials("wiki", answers.tokens(scope=None))["warnings"] == []
    assert broker.credentials("wiki", answers.tokens(scope="write read more"))["warnings"] == []


def test_extras_are_what_the_catalog_says_to_capture(broker):
    grant = broker.consented("wiki_extras", answers.tokens(instance_url="https://eu1.example.com", secret_note="no"))
    key = broker.finish(grant, realmId="4620816365", other="no")
    assert broker.redeem(key).json()["extras"] == {"realmId": "4620816365", "instanceUrl": "https://eu1.example.com"}


def test_tokens_are_found_where_the_catalog_points(broker):
    answer = answers.shaped(lambda grant: {
        "ok": True, "team": {"id": "T1"},
        "authed_user": {"access_token": grant.access_token, "refresh_token": grant.refresh_token, "expires_in": 60},
    })
    body = broker.credentials("wiki_nested", answer)
    assert body["accessToken"].startswith("access-") and body["refreshToken"].startswith("refresh-")
    assert body["expiresAt"] is not None and body["extras"] == {"team": "T1"}


def test_an_absolute_expiry_is_read_where_the_catalog_points(broker):
    at = int(time.time()) + 7200
    assert broker.credentials("wiki_expiry", answers.tokens(expires_in=None, expires_at=at))["expiresAt"] == at * 1000


def bodies_of(*responses: httpx.Response) -> list[dict]:
    """Bodies but for the request id, each of which was a 400 `invalid_credential_key`."""
    bodies = []
    for response in responses:
        body = assert_problem(response, 400, "invalid_credential_key")
        del body["requestId"]
        bodies.append(body)
    return bodies


def test_all_bad_keys_get_one_answer(broker):
    """Unknown, malformed, used, another tenant's, wrong or missing verifier: one body, one set of headers."""
    used, foreign, bound = broker.key(), broker.key(tenant="other"), broker.key(exchangeChallenge=challenge_of(new_verifier()))
    broker.redeem(used)
    unknown = used[:-12] + "A" * 11 + used[-1]
    responses = [
        broker.redeem(used), broker.redeem(foreign), broker.redeem(unknown), broker.redeem("x"), broker.redeem("é\x00"),
        broker.redeem("A" * 5000), broker.redeem(""), broker.redeem(used + "A"), broker.redeem(used, exchangeVerifier=new_verifier()),
        broker.redeem(bound), broker.redeem(bound, exchangeVerifier=new_verifier()), broker.redeem(bound, exchangeVerifier="short"),
        broker.redeem(bound, exchangeVerifier=""), broker.redeem_by_post(used), broker.redeem_by_post(foreign),
        broker.redeem_by_post(bound, exchangeVerifier="x"),
    ]
    bodies = bodies_of(*responses)
    assert all(body == bodies[0] for body in bodies)
    names = [sorted(set(response.headers) - {"date"}) for response in responses]
    assert all(each == names[0] for each in names)
    assert all(response.headers["cache-control"] == "no-store" for response in responses)


def test_an_expired_key_gets_the_same_answer(another_broker):
    broker = another_broker("short-key", {"lifetimes": {"credentialKey": 1}})
    expired = broker.key()
    wait_until(int(time.time() * 1000) + 1000)
    one, two = bodies_of(broker.redeem(expired), broker.redeem("unknown"))
    assert one == two


def test_a_missing_key_is_400(broker):
    path = "/v1/tenants/acme/assets:oauthCredentials"
    for response in (broker.client.get(path), broker.client.post(path, json={})):
        assert_problem(response, 400, {"invalid_credential_key", "invalid_request"})


@pytest.mark.parametrize("key", [5, None, ["x"], {"a": "b"}, True], ids=str)
def test_a_key_that_is_no_string_is_400(broker, key):
    assert_problem(broker.redeem_by_post(key), 400, {"invalid_credential_key", "invalid_request"})


def test_a_key_works_once(broker):
    key = broker.key()
    assert broker.redeem(key).status_code == 200
    for _ in range(3):
        assert_problem(broker.redeem(key), 400, "invalid_credential_key")


def test_a_tampered_key_is_refused_and_spends_nothing(broker):
    key = broker.key()
    for other in [key[1:], key + "A", key + "=", key.swapcase(), f" {key}", f"{key}\n", *(
        key[:-1] + last for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" if last != key[-1]
    )]:
        assert_problem(broker.redeem(other), 400, "invalid_credential_key")
    assert broker.redeem(key).status_code == 200


def test_another_tenant_does_not_spend_the_key(broker):
    key = broker.key()
    for tenant in ("other", "acm", "ACME", "acme2"):
        assert_problem(broker.redeem(key, tenant), 400, "invalid_credential_key")
    assert broker.redeem(key).status_code == 200


@pytest.mark.parametrize("length", [43, 128])
def test_the_right_verifier_redeems(broker, length):
    verifier = ("a" * 40 + "-._~" + "Z9" * 60)[:length]
    key = broker.key(exchangeChallenge=challenge_of(verifier))
    assert broker.redeem(key, exchangeVerifier=verifier).status_code == 200


def test_the_right_verifier_redeems_by_post(broker):
    verifier = new_verifier()
    key = broker.key(exchangeChallenge=challenge_of(verifier))
    assert broker.redeem_by_post(key, exchangeVerifier=verifier).status_code == 200


def test_a_wrong_verifier_does_not_spend_the_key(broker):
    verifier = new_verifier()
    key = broker.key(exchangeChallenge=challenge_of(verifier))
    for wrong in ("", "short", new_verifier(), verifier + "a", challenge_of(verifier), verifier.swapcase(), "x" * 5000):
        assert_problem(broker.redeem(key, exchangeVerifier=wrong), 400, "invalid_credential_key")
    assert_problem(broker.redeem(key), 400, "invalid_credential_key")
    assert broker.redeem(key, exchangeVerifier=verifier).status_code == 200


@pytest.mark.parametrize("verifier", ["a" * 42, "a" * 129, "a" * 42 + "!"], ids=["short", "long", "alphabet"])
def test_a_verifier_outside_rfc_7636_redeems_nothing(broker, verifier):
    """RFC 7636 § 4.1: 43 to 128 unreserved characters, even if the hash is right."""
    key = broker.key(exchangeChallenge=challenge_of(verifier))
    assert_problem(broker.redeem(key, exchangeVerifier=verifier), 400, "invalid_credential_key")


def test_a_verifier_for_a_key_without_challenge_is_ignored(broker):
    assert broker.redeem(broker.key(), exchangeVerifier=new_verifier()).status_code == 200
    assert broker.redeem(broker.key(), exchangeVerifier="x").status_code == 200


# What spends nothing.


@pytest.mark.parametrize("method, headers", [
    ("HEAD", {}), ("GET", {"Sec-Purpose": "prefetch"}), ("GET", {"Sec-Purpose": "prefetch;prerender"}),
], ids=["head", "prefetch", "prerender"])
def test_a_look_ahead_spends_no_key(broker, method, headers):
    grant = broker.consented()
    key = broker.finish(grant)
    query = encoded({"credentialKey": key})
    response = broker.client.request(method, f"/v1/tenants/acme/assets:oauthCredentials?{query}", headers=headers)
    assert response.status_code < 500 or response.status_code == 503
    assert grant.access_token not in response.text
    assert broker.redeem(key).status_code == 200


# oauthFlow.


def assert_pending(response: httpx.Response) -> None:
    assert response.status_code == 200, response.text
    assert response.json() == {"status": "pending"}
    assert response.headers["cache-control"] == "no-store"


def test_a_flow_that_runs_is_pending(broker):
    verifier = new_verifier()
    flow = broker.begin("wiki", exchangeChallenge=challenge_of(verifier))
    assert_pending(broker.outcome(flow.flow, verifier))


def test_an_unknown_flow_is_pending(broker):
    assert_pending(broker.outcome("no-such-flow", new_verifier()))


def test_an_outcome_is_told_to_no_browser_but_the_one_that_began(broker, provider):
    """Else an authorization address sent by mail would fetch the victim's tokens."""
    verifier = new_verifier()
    flow = broker.begin("wiki", exchangeChallenge=challenge_of(verifier))
    key = broker.finish(provider.consent(flow.authorization_url))
    assert_pending(broker.outcome(flow.flow, verifier))
    assert broker.redeem(key, exchangeVerifier=verifier).status_code == 200


def test_a_failure_is_told_to_no_other_browser_either(broker):
    verifier = new_verifier()
    flow = broker.begin("wiki", exchangeChallenge=challenge_of(verifier))
    broker.callback({"error": "access_denied", "state": flow.state})
    assert_pending(broker.outcome(flow.flow, verifier))


def test_without_challenge_a_flow_stays_pending(broker, provider):
    flow = broker.begin("wiki")
    broker.finish(provider.consent(flow.authorization_url))
    assert_pending(broker.outcome(flow.flow, new_verifier()))


def test_a_wrong_verifier_or_tenant_sees_pending(broker, provider):
    verifier = new_verifier()
    flow = broker.begin("wiki", exchangeChallenge=challenge_of(verifier))
    broker.finish(provider.consent(flow.authorization_url))
    for other in ("", "x", new_verifier()):
        assert_pending(broker.outcome(flow.flow, other))
    assert_pending(broker.outcome(flow.flow, verifier, tenant="other"))


def test_the_outcome_is_told_to_a_question_in_a_body_too(broker, provider):
    """It keeps the verifier out of addresses, and so out of logs."""
    verifier = new_verifier()
    flow = broker.begin("wiki", exchangeChallenge=challenge_of(verifier), frontendOrigin=APP)
    binding = {"flow": flow.flow, "exchangeVerifier": verifier, "frontendOrigin": APP}
    assert broker.client.post("/oauth/popup", json=binding).status_code == 204
    assert_pending(broker.outcome_by_post(flow.flow, verifier))
    key = broker.finish(provider.consent(flow.authorization_url))
    told = broker.outcome_by_post(flow.flow, verifier)
    assert told.json() == {"status": "succeeded", "credentialKey": key}
    assert told.headers["cache-control"] == "no-store"
    for other in (("no-such-flow", verifier), (flow.flow, new_verifier()), (None, verifier), (flow.flow, 5)):
        assert_pending(broker.outcome_by_post(*other))
    assert_pending(broker.outcome_by_post(flow.flow, verifier, tenant="other"))
    assert broker.redeem(key, exchangeVerifier=verifier).status_code == 200
    assert verifier not in broker.logs


@pytest.mark.parametrize("body", ["[]", '"x"', "null", "5"])
def test_a_question_that_is_no_object_is_refused(broker, body):
    response = broker.client.post(
        "/v1/tenants/acme/assets:oauthFlow", content=body, headers={"Content-Type": "application/json"})
    assert_problem(response, 400, "invalid_request")
