"""Exactly once, whoever comes at the same moment."""

import json
from collections.abc import Iterator

import pytest

from broker import Broker, Installation, encoded, free_port, get_request, simultaneously
from provider import callback_target
from tokens import challenge_of, new_verifier


def redemption(port: int, key: str, **members: str) -> tuple[int, bytes]:
    query = encoded({"credentialKey": key} | members)
    return port, get_request(port, f"/v1/tenants/acme/assets:oauthCredentials?{query}")


def assert_one_got_it(answers: list[tuple[int, bytes]], access_token: str) -> None:
    assert sorted(status for status, _ in answers) == [200] + [400] * (len(answers) - 1)
    assert sum(access_token.encode() in body for _, body in answers) == 1
    codes = {json.loads(body)["code"] for status, body in answers if status == 400}
    assert codes == {"invalid_credential_key"}


@pytest.mark.parametrize("round", range(5))
def test_of_64_simultaneous_redemptions_exactly_one_gets_the_tokens(broker, round):
    grant = broker.consented()
    key = broker.finish(grant)
    assert_one_got_it(simultaneously([redemption(broker.port, key)] * 64), grant.access_token)


def test_wrong_verifiers_in_between_change_nothing(broker):
    verifier = new_verifier()
    grant = broker.consented(exchangeChallenge=challenge_of(verifier))
    key = broker.finish(grant)
    requests = [redemption(broker.port, key, exchangeVerifier=each) for _ in range(16) for each in (verifier, new_verifier())]
    assert_one_got_it(simultaneously(requests), grant.access_token)


def test_simultaneous_redemptions_of_many_keys_give_each_its_own(broker):
    grants = [broker.consented() for _ in range(32)]
    keys = [broker.finish(grant) for grant in grants]
    answers = simultaneously([redemption(broker.port, key) for key in keys])
    assert [json.loads(body)["accessToken"] for _, body in answers] == [grant.access_token for grant in grants]


@pytest.mark.parametrize("round", range(3))
def test_of_32_simultaneous_callbacks_with_one_state_exactly_one_reaches_the_provider(broker, provider, round):
    grant = broker.consented()
    request = get_request(broker.port, callback_target(grant.callback), Accept="application/json")
    answers = simultaneously([(broker.port, request)] * 32)
    assert sorted(status for status, _ in answers) == [302] + [400] * 31
    assert {json.loads(body)["code"] for status, body in answers if status == 400} == {"invalid_state"}
    assert len(provider.exchanges(grant)) == 1


@pytest.fixture(scope="module")
def pair(folder, provider) -> Iterator[tuple[Broker, Broker]]:
    """Two processes on one database."""
    installation = Installation(folder / "pair", provider)
    with Broker(installation) as one, Broker(installation, {"CLOAKROOM_HTTP_PORT": str(free_port())}) as two:
        yield one, two


@pytest.mark.parametrize("round", range(5))
def test_two_brokers_on_one_database_give_each_key_once(pair, round):
    one, two = pair
    grant = one.consented()
    key = two.finish(grant)  # what one began, the other may finish
    requests = [redemption(broker.port, key) for _ in range(16) for broker in pair]
    assert_one_got_it(simultaneously(requests), grant.access_token)


@pytest.mark.parametrize("round", range(3))
def test_two_brokers_on_one_database_take_each_state_once(pair, provider, round):
    grant = pair[0].consented()
    target = callback_target(grant.callback)
    answers = simultaneously([
        (broker.port, get_request(broker.port, target, Accept="application/json")) for _ in range(8) for broker in pair
    ])
    assert sorted(status for status, _ in answers) == [302] + [400] * 15
    assert len(provider.exchanges(grant)) == 1
