"""After the redemption nobody gets the tokens back: all files and the master key together open nothing."""

from collections.abc import Callable

import pytest

from broker import APP, Broker, Grant, Installation, eventually, fragment, run
from thief import LABELS, Thief
from tokens import challenge_of, new_verifier

RETURN = f"{APP}/connected"


class ConnectPage:
    """The calls that `connect.js` and the broker's own pages make, in one browser."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.verifier = new_verifier()

    def bound(self, **members) -> Grant:
        """A flow up to the moment when the browser in which it began comes back with a code."""
        flow = self.broker.begin("wiki", exchangeChallenge=challenge_of(self.verifier), frontendOrigin=APP, **members)
        binding = {"flow": flow.flow, "exchangeVerifier": self.verifier, "frontendOrigin": APP}
        assert self.broker.client.post("/oauth/popup", json=binding).status_code == 204
        self.flow = flow.flow
        return self.broker.provider.consent(flow.authorization_url)

    def by_message(self) -> str:
        return self.broker.finish(self.bound())

    def by_asking(self) -> str:
        self.broker.finish(self.bound())
        members = {"flow": self.flow, "exchangeVerifier": self.verifier}
        return self.broker.client.post("/v1/tenants/acme/assets:oauthFlow", json=members).json()["credentialKey"]

    def by_asking_with_a_query(self) -> str:
        self.broker.finish(self.bound())
        return self.broker.outcome(self.flow, self.verifier).json()["credentialKey"]

    def by_redirect(self) -> str:
        flow = self.broker.begin("wiki", exchangeChallenge=challenge_of(self.verifier), returnUrl=RETURN)
        return self.broker.finish(self.broker.provider.consent(flow.authorization_url))

    def by_redirect_in_a_bound_browser(self) -> str:
        response = self.broker.callback(self.bound(returnUrl=RETURN).callback)
        return fragment(response)["credentialKey"]

    def redeem(self, key: str) -> None:
        response = self.broker.redeem_by_post(key, exchangeVerifier=self.verifier)
        assert response.status_code == 200, response.text


DELIVERIES = [
    ConnectPage.by_message, ConnectPage.by_asking, ConnectPage.by_asking_with_a_query, ConnectPage.by_redirect,
    ConnectPage.by_redirect_in_a_bound_browser,
]


def test_the_labels_of_all_derivations_are_known():
    assert {"credentials", "credential-key", "token-to-revoke", "pkce"} <= set(LABELS)


def test_the_search_opens_a_ticket_and_its_tokens_for_who_has_the_verifier_too(installation, tmp_path):
    """So that finding nothing means something."""
    with Broker(installation) as broker:
        page = ConnectPage(broker)
        page.by_message()
        opened = Thief.of(installation).opened(tmp_path, page.verifier.encode())
        kinds = {line.rpartition(": ")[2] for line in opened}
        assert kinds == {"ckr_…", '{"ac…'}, opened


@pytest.mark.parametrize("deliver", DELIVERIES, ids=lambda deliver: deliver.__name__)
def test_files_and_master_key_open_no_token_at_any_moment_of_a_flow(
    installation, tmp_path, deliver: Callable[[ConnectPage], str]
):
    """Database, write-ahead log with its old frames, freed pages and a backup; before and after the redemption."""
    def assert_nothing_opens(moment: str) -> None:
        assert Thief.of(installation).opened(tmp_path) == [], moment

    with Broker(installation) as broker:
        page = ConnectPage(broker)
        key = deliver(page)
        assert_nothing_opens("while the key waits")
        page.redeem(key)
        assert_nothing_opens("once it was redeemed")
        if installation.database_on_server is None:
            assert run("backup", installation.folder / "copy.db", "--config", installation.config).returncode == 0
            assert_nothing_opens("with a backup")
    assert_nothing_opens("after the broker stopped")


def test_files_and_master_key_open_nothing_after_a_sweep(installation, tmp_path):
    """Of keys that were redeemed, however they were delivered, and of one that expired."""
    installation.settings["lifetimes"] = {"credentialKey": 2}
    installation.write_configuration()
    with Broker(installation) as broker:
        for deliver in DELIVERIES:
            page = ConnectPage(broker)
            page.redeem(deliver(page))
        ConnectPage(broker).by_message()
        eventually(lambda: "credential_key.expired" in events(broker), within=60, what="the sweep")
        assert Thief.of(installation).opened(tmp_path) == []


def events(broker: Broker) -> list[str]:
    operator = broker.bearer(tenant=None, scope="broker:admin")
    items = broker.client.get("/v1/admin/auditEvents", headers=operator).json()["items"]
    return [event["type"] for event in items]


def test_a_crash_leaves_nothing_that_opens(installation, tmp_path):
    """The write-ahead log stays as it was."""
    with Broker(installation) as broker:
        page = ConnectPage(broker)
        page.redeem(page.by_message())
        broker.kill()
        assert any(content for name, content in installation.stored().items() if "wal" in name)
        assert Thief.of(installation).opened(tmp_path) == []


def test_the_binding_cookie_does_not_redeem(installation):
    """It is derived from the verifier, one way."""
    with Broker(installation) as broker:
        page = ConnectPage(broker)
        grant = page.bound()
        [cookie] = [value for name, value in broker.client.cookies.items() if page.flow in name]
        assert page.verifier not in cookie
        key = broker.finish(grant)
        for part in (cookie, cookie[:43], cookie[-43:], cookie[:43] + "A"):
            assert broker.redeem_by_post(key, exchangeVerifier=part).status_code == 400
            asked = broker.outcome(page.flow, part).json()
            assert asked == {"status": "pending"}
        page.redeem(key)
