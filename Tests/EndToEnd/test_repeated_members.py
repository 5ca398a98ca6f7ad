"""A query, form or JSON member that comes twice: 400, and nothing is spent by it."""

import pytest

from broker import assert_problem, encoded
from provider import Provider
from tokens import challenge_of, new_verifier

CREDENTIALS = "/v1/tenants/acme/assets:oauthCredentials"


@pytest.mark.parametrize("repeated", ["credentialKey", "exchangeVerifier"])
@pytest.mark.parametrize("second", ["the same", "another", ""])
def test_a_key_is_not_spent_by_a_query_that_names_a_member_twice(broker, repeated, second):
    verifier = new_verifier()
    members = {"credentialKey": broker.key(exchangeChallenge=challenge_of(verifier)), "exchangeVerifier": verifier}
    value = members[repeated] if second == "the same" else second
    for query in ([*members.items(), (repeated, value)], [(repeated, value), *members.items()]):
        assert_problem(broker.client.get(f"{CREDENTIALS}?{encoded(query)}"), 400, "invalid_request")
    assert broker.redeem(members["credentialKey"], exchangeVerifier=verifier).status_code == 200


@pytest.mark.parametrize("body", [
    '{{"credentialKey": "{key}", "credentialKey": "{key}"}}', '{{"credentialKey": "x", "credentialKey": "{key}"}}',
    '{{"credentialKey": "{key}", "credential\\u004bey": "x"}}',
], ids=["same", "another", "escaped"])
def test_a_key_is_not_spent_by_a_body_that_names_a_member_twice(broker, body):
    key = broker.key()
    text = body.replace("\\\\", "\\").format(key=key)
    answer = broker.client.post(CREDENTIALS, content=text, headers={"Content-Type": "application/json"})
    assert_problem(answer, 400, "invalid_request")
    assert broker.redeem(key).status_code == 200


@pytest.mark.parametrize("repeated", ["flow", "exchangeVerifier"])
def test_an_outcome_is_not_told_to_a_query_that_names_a_member_twice(broker, repeated):
    verifier = new_verifier()
    flow = broker.begin(exchangeChallenge=challenge_of(verifier))
    members = {"flow": flow.flow, "exchangeVerifier": verifier}
    query = encoded([*members.items(), (repeated, members[repeated])])
    assert_problem(broker.client.get(f"/v1/tenants/acme/assets:oauthFlow?{query}"), 400, "invalid_request")
    assert broker.outcome(flow.flow, verifier).json() == {"status": "pending"}


@pytest.mark.parametrize("list, name, value", [
    ("credentialKeys", "tenant", "acme"), ("credentialKeys", "sourceType", "wiki"), ("credentialKeys", "pageSize", "5"),
    ("auditEvents", "tenant", "acme"), ("auditEvents", "type", "flow.started"), ("auditEvents", "since", "0"),
])
def test_a_list_is_not_filtered_by_one_of_two(broker, list, name, value):
    query = encoded([(name, value), (name, value)])
    answer = broker.client.get(f"/v1/admin/{list}?{query}", headers=broker.bearer(None, "broker:admin"))
    assert_problem(answer, 400, "invalid_request")


def test_no_flow_starts_by_a_body_that_names_a_member_twice(broker):
    answer = broker.client.post(
        "/v1/tenants/acme/assets:authorize", content='{"sourceType": "wiki", "sourceType": "wiki"}',
        headers=broker.bearer() | {"Content-Type": "application/json"})
    assert_problem(answer, 400, "invalid_request")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("repeated, code", [
    ("state", "invalid_state"), ("code", "invalid_callback"), ("iss", "issuer_mismatch"), ("error", "invalid_callback"),
])
def test_a_callback_that_names_a_parameter_twice_spends_nothing(broker, provider: Provider, method, repeated, code):
    grant = broker.consented()
    value = grant.callback.get(repeated, "x")
    members = [pair for pair in grant.callback.items() if pair[0] != repeated] + [(repeated, value)] * 2
    assert_problem(broker.callback(members, method=method), 400, code)
    assert provider.exchanges(grant) == []
    broker.finish(grant, error_description="of these the first counts")
