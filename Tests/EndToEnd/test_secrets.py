"""No secret in any log, error or file, in whatever spelling."""

import base64
import json
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

import httpx
import pytest

import provider as answers
from broker import CLIENT_SECRET, Broker, Installation
from tokens import challenge_of, new_verifier


@dataclass
class Evidence:
    """What one run left behind, and the secrets that passed through it."""

    secrets: dict[str, str] = field(default_factory=dict)
    errors: list[bytes] = field(default_factory=list)
    logs: bytes = b""
    files: dict[str, bytes] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)

    def keep(self, name: str, secret: str) -> str:
        self.secrets[f"{name} {len(self.secrets)}"] = secret
        return secret

    def note(self, response: httpx.Response) -> httpx.Response:
        if response.status_code >= 400:
            self.errors.append(response.content + repr(response.headers.raw).encode())
        return response

    def snapshot(self, folder: Path, moment: str) -> None:
        for path in folder.glob("cloakroom.db*"):
            self.files[f"{path.name} {moment}"] = path.read_bytes()
            self.modes[path.name] = stat.S_IMODE(path.stat().st_mode)


def spellings(secret: str) -> Iterator[bytes]:
    """The secret as it is, as hex, and inside any base64 (which depends on where in three octets it begins)."""
    plain = [secret.encode()]
    tail = secret.rstrip("=").replace("+", "-").replace("/", "_")[-43:]
    if re.fullmatch("[A-Za-z0-9_-]{43}", tail):  # perhaps base64url of 32 octets: those must not appear either
        plain.append(base64.urlsafe_b64decode(tail + "="))
    for octets in plain:
        yield octets
        yield octets.hex().encode()
        yield octets.hex().upper().encode()
        for offset in range(3):
            # Only the characters that no neighbour has a part in.
            body = octets[(3 - offset) % 3:]
            whole = body[: len(body) // 3 * 3]
            if len(whole) >= 12:
                yield base64.b64encode(whole)
                yield base64.urlsafe_b64encode(whole)
    for encoded in (quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], json.dumps(secret)[1:-1].replace("/", "\\/")):
        yield encoded.encode()


def found(evidence: Evidence, haystack: bytes) -> list[str]:
    """The names of the secrets that are in it; never the secrets, a test's output is a log too."""
    return [name for name, secret in evidence.secrets.items() if any(each in haystack for each in spellings(secret))]


@pytest.fixture(scope="module")
def evidence(folder, provider) -> Evidence:
    """Good and bad flows of every kind, at the most talkative log level."""
    installation = Installation(folder / "talkative", provider, {"log": {"level": "debug"}})
    run = Evidence()
    run.keep("client secret", CLIENT_SECRET)
    run.keep("master key", (installation.folder / "master.key").read_text().split(":", 1)[1].strip())
    with Broker(installation) as broker:
        for source_type in ("wiki", "wiki_post", "wiki_json", "wiki_public", "wiki_extras"):
            _good_flow(run, broker, source_type)
        _good_flow(run, broker, "wiki", post=True)
        _good_flow(run, broker, "wiki", redeemed=False)  # its tokens are in the database, sealed
        for answer in (
            answers.refusal("invalid_grant"), answers.raw(b"oops", status=500), answers.reset, answers.not_http,
            answers.shaped(lambda grant: grant.token_response(error="server_error")),
            answers.shaped(lambda grant: grant.token_response(), status=500),
            answers.shaped(lambda grant: {"accessToken": grant.access_token, "refresh": grant.refresh_token}),
            answers.redirect("https://example.com/"),
        ):
            _bad_flow(run, broker, answer)
        _bad_calls(run, broker)
        run.snapshot(installation.folder, "while running")
    run.snapshot(installation.folder, "after stopping")
    run.logs = broker.logs.encode()
    return run


def _begin(run: Evidence, broker: Broker, source_type: str, answer=None, **members):
    token = run.keep("caller's token", broker.token())
    verifier = run.keep("exchange verifier", new_verifier())
    flow = broker.begin(
        source_type, headers={"Authorization": f"Bearer {token}"}, exchangeChallenge=challenge_of(verifier), **members
    )
    grant = broker.provider.consent(flow.authorization_url, answer)
    for name in ("code", "state", "access_token", "refresh_token"):
        run.keep(name, getattr(grant, name))
    return grant, verifier


def _keep_pkce_verifier(run: Evidence, broker: Broker, grant) -> None:
    for call in broker.provider.exchanges(grant):
        run.keep("PKCE verifier", call.members["code_verifier"])
        if authorization := call.headers.get("authorization"):
            run.keep("Basic credentials", authorization.removeprefix("Basic "))


def _good_flow(run: Evidence, broker: Broker, source_type: str, post: bool = False, redeemed: bool = True) -> None:
    grant, verifier = _begin(run, broker, source_type)
    key = run.keep("credential key", broker.finish(grant))
    _keep_pkce_verifier(run, broker, grant)
    run.note(broker.callback(grant.callback))
    run.note(broker.callback(grant.callback, headers={"Accept": "text/html"}))
    if redeemed:
        run.note(broker.redeem(key))
        run.note(broker.redeem(key, "other", exchangeVerifier=verifier))
        run.note(broker.redeem(key, exchangeVerifier=run.keep("wrong verifier", new_verifier())))
        redeem = broker.redeem_by_post if post else broker.redeem
        assert redeem(key, exchangeVerifier=verifier).status_code == 200
        run.note(redeem(key, exchangeVerifier=verifier))
    broker.outcome(grant.state, verifier)


def _bad_flow(run: Evidence, broker: Broker, answer) -> None:
    for accept in ("application/json", "text/html"):
        grant, _ = _begin(run, broker, "wiki", answer)
        response = run.note(broker.callback(grant.callback, headers={"Accept": accept}))
        assert response.status_code == 502, response.text
        _keep_pkce_verifier(run, broker, grant)


def _bad_calls(run: Evidence, broker: Broker) -> None:
    """Secrets in requests that are refused."""
    grant, _ = _begin(run, broker, "wiki")
    run.note(broker.callback([("code", grant.code), ("code", grant.code), ("state", grant.state)]))
    grant, _ = _begin(run, broker, "wiki")
    run.note(broker.callback({"error": "access_denied", "error_description": "no", "state": grant.state}))
    grant, _ = _begin(run, broker, "wiki_issuer_required")
    run.note(broker.callback(grant.callback))
    stranger = run.keep("stranger's token", broker.token("other"))
    run.note(broker.source_types(headers={"Authorization": f"Bearer {stranger}"}))
    forged = run.keep("forged token", broker.token(iss="https://other.example.com"))
    run.note(broker.source_types(headers={"Authorization": f"Bearer {forged}"}))
    for path in ("/no/such", "/v1/tenants/acme/assets:nothing", "/v1/tenants/acme/assets:sourceTypes", "/oauth/other"):
        secret = run.keep("member of a wrong address", new_verifier())
        run.note(broker.client.get(f"{path}?credentialKey={secret}&code={secret}&state={secret}"))
    secret = run.keep("member of broken JSON", new_verifier())
    run.note(broker.client.post(
        "/v1/tenants/acme/assets:oauthCredentials", content=f'{{"credentialKey": "{secret}", ',
        headers={"Content-Type": "application/json"},
    ))
    run.note(broker.redeem_by_post({"nested": secret}))
    unknown = run.keep("unknown key", new_verifier())
    run.note(broker.redeem(unknown))
    run.note(broker.callback({"code": unknown, "state": unknown}))


def test_the_run_was_talkative_enough_to_prove_something(evidence):
    assert len(evidence.secrets) > 100
    assert len(evidence.errors) > 30
    assert evidence.logs.count(b"/oauth/callback") > 20
    assert any(name.startswith("cloakroom.db ") for name in evidence.files)


def test_the_search_finds_every_spelling():
    secret = "s3cret-" + new_verifier()
    searched = Evidence({"it": secret})
    for prefix in (b"", b"a", b"ab"):
        assert found(searched, base64.b64encode(prefix + secret.encode() + b"x"))
        assert found(searched, base64.urlsafe_b64encode(prefix + secret.encode() + b"xy"))
    assert found(searched, b"--" + base64.urlsafe_b64decode(secret[-43:] + "=") + b"--")
    assert found(searched, secret.encode().hex().encode())
    assert not found(searched, b"nothing here")


def test_no_log_line_holds_a_secret(evidence):
    assert found(evidence, evidence.logs) == []


def test_no_error_holds_a_secret(evidence):
    assert found(evidence, b"\n".join(evidence.errors)) == []


def test_no_database_file_holds_a_secret(evidence):
    assert {name: found(evidence, content) for name, content in evidence.files.items()} == dict.fromkeys(evidence.files, [])


def test_database_files_are_the_owners_alone(evidence):
    assert evidence.modes and set(evidence.modes.values()) == {0o600}, evidence.modes


@pytest.mark.parametrize("where", ["error_description", "error_uri", "error"])
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_a_secret_that_the_provider_repeats_goes_no_further(broker, where, accept):
    """Some providers quote the code they refuse."""
    def answer(handler, grant):
        handler.send_json(400, {"error": "invalid_grant"} | {where: f"bad code {grant.code} of {CLIENT_SECRET}"})

    grant = broker.consented("wiki", answer)
    response = broker.callback(grant.callback, headers={"Accept": accept})
    assert response.status_code == 502
    searched = Evidence({"code": grant.code, "client secret": CLIENT_SECRET, "state": grant.state})
    assert found(searched, response.content) == []
    assert found(searched, broker.logs.encode()) == []
