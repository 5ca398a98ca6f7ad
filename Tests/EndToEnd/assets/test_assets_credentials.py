"""Credentials: sealed, refreshed in time and once, never lost, and never given to anybody else."""

import json
import time
from pathlib import Path

import jwt
import pytest

import tokens
from accounts import says_that_the_grant_is_gone
from broker import eventually
from embedder import KEY
from server import Answer, Scripted, as_json, redirect
from service import MODEL, AssetService, Run
from tokens import challenge_of, new_verifier

COUNT = 12


@pytest.fixture
def drive_folder(world) -> str:
    made = world.drive.folder()
    for number in range(COUNT):
        world.drive.add(f"{number:02}.txt", f"Text {number}.", made)
    return made


# Secrecy.


def holding(folder: Path, *secrets: str) -> list[str]:
    """The files in which one of them can be read, as text or as UTF-16."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            octets = path.read_bytes()
            found += [f"{path.name}: {secret[:12]}…" for secret in secrets
                      if secret.encode() in octets or secret.encode("utf-16-le") in octets]
    return found


def test_no_token_is_in_a_file_a_log_a_metric_or_an_answer(another_service, world, drive_folder):
    service = another_service({"log": {"level": "trace"}})
    said: list[str] = []
    service.client.event_hooks["response"].append(lambda response: said.append(response.read().decode(errors="replace")))
    verifier = new_verifier()
    key = world.key(exchangeChallenge=challenge_of(verifier))
    own = world.own_token()
    runs = [
        service.begin_drive(drive_folder, auth={"credentialKey": key, "exchangeVerifier": verifier}, embedding=MODEL),
        service.begin_drive(drive_folder, auth=world.broker.redeem(world.key()).json()),
        service.begin_drive(drive_folder, auth=own),
    ]
    for run in runs:
        run.finish()
    # A refresh of the credentials, a source that says them again, and a grant at its end.
    world.accounts.expire()
    runs[0].refresh(force=True).finish()
    echo = json.dumps({"error": " ".join(world.accounts.issued)}).encode()
    world.drive.always("alt=media", Answer(400, echo, "application/json"))
    runs[0].refresh(force=True).finish("FAILED")
    world.accounts.refusing = says_that_the_grant_is_gone
    world.accounts.expire()
    world.drive.usual()
    runs[0].refresh().finish("FAILED")
    service.get()
    service.get(f"/{runs[0].asset}/operations")
    runs[0].documents()
    secrets = [*world.accounts.issued, key, verifier, KEY]
    metrics = service.client.get("/metrics").text
    service.kill()  # with whatever lies in the write-ahead log
    assert [found for found in holding(service.installation.folder, *secrets) if not found.startswith("openai.key")] == []
    assert not [secret for secret in secrets if secret in metrics or any(secret in text for text in said)]
    assert "PRIVATE KEY" not in service.logs and not tokens.JWS.search(service.logs)


def test_text_is_stored_in_the_clear(another_service):
    """It is what the service is for; and the search above would find what is there."""
    service = another_service()
    service.begin_upload("a.txt", "these-words-can-be-found").finish()
    service.kill()
    assert holding(service.installation.folder, "these-words-can-be-found")


# Whom they are given to.


def test_tokens_go_to_the_address_of_their_source_type_alone(service, world, drive_folder):
    run = service.begin_drive(drive_folder, auth=world.auth())
    run.finish()
    assert {call.bearer for call in world.drive.calls} <= world.accounts.live
    page = world.site.page("/tokens/", "text")
    service.begin("website", {"url": page}).finish()
    for server in (world.site, world.github, world.notion, world.embedder):
        assert not any(call.bearer in world.accounts.issued for call in server.calls)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_token_does_not_go_along_to_another_origin(service, world, drive_folder, status):
    id = world.drive.add("moved.txt", "text", drive_folder)
    target = world.other.put("/landing.txt", "text from elsewhere", "text/plain")
    world.drive.always(f"/files/{id}?", redirect(target, status))
    run = service.begin_drive(drive_folder)
    run.until(lambda operation: operation["done"], within=40)
    for call in world.other.calls:
        assert "authorization" not in call.headers
        assert not any(token in call.target for token in world.accounts.issued)


def test_a_token_does_not_go_along_to_another_port_or_scheme(service, world, drive_folder):
    world.drive.always("q=", redirect(f"https://127.0.0.1:{world.drive.port}/drive/v3/files"))
    run = service.begin_drive(drive_folder)
    run.until(lambda operation: operation["done"], within=40)
    assert run.poll()["status"] == "FAILED"


# Refresh.


def expiring(world, seconds: int) -> dict:
    """Credentials whose access token ends then, and a provider whose next one lasts."""
    world.accounts.lifetime = seconds
    credentials = world.broker.redeem(world.key()).json()
    world.accounts.lifetime = 3600
    return credentials


@pytest.mark.parametrize("seconds, renewed", [(30, True), (1, True), (55, True), (3600, False), (90, False)])
def test_a_token_that_ends_within_a_minute_is_renewed_first(service, world, drive_folder, seconds, renewed):
    credentials = expiring(world, seconds)
    before = len(world.accounts.renewals)
    run = service.begin_drive(drive_folder, auth=credentials)
    run.finish()
    assert len(world.accounts.renewals) - before == renewed
    assert (credentials["accessToken"] in {call.bearer for call in world.drive.calls}) != renewed


def test_a_token_that_is_refused_is_renewed_once_for_all_that_wait(service, world, drive_folder):
    credentials = world.broker.redeem(world.key()).json()
    before = len(world.accounts.renewals)
    gate = world.drive.hold("alt=media")
    run = service.begin_drive(drive_folder, auth=credentials)
    gate.arrived(4)
    world.accounts.expire()
    gate.open()
    operation = run.finish()
    assert operation["itemsFailed"] == 0 and len(run.documents()) == COUNT
    assert len(world.accounts.renewals) - before == 1


def test_the_newest_refresh_token_is_used_each_time(service, world, drive_folder):
    """A provider that rotates takes each of them once."""
    run = service.begin_drive(drive_folder, auth=world.auth())
    run.finish()
    for _ in range(4):
        world.accounts.expire()
        assert run.refresh(force=True).finish()["itemsFailed"] == 0
    assert not [complaint for complaint in world.accounts.complaints if "invalid_grant" in complaint]


def test_a_provider_that_does_not_rotate_is_served_too(service, world, drive_folder):
    """One renewal: the broker gives its answer to the same refresh token again for half a minute."""
    world.accounts.rotates = False
    run = service.begin_drive(drive_folder, auth=world.auth())
    run.finish()
    world.accounts.expire()
    assert run.refresh(force=True).finish()["itemsFailed"] == 0
    assert run.refresh(force=True).finish()["itemsFailed"] == 0


def test_a_new_refresh_token_is_kept_before_the_new_access_token_is_used(another_service, world, drive_folder):
    """Killed at the first use of the new token, again and again: the grant is never lost."""
    service = another_service()
    run = service.begin_drive(drive_folder, auth=world.auth())
    run.finish()
    for _ in range(3):
        world.accounts.expire()
        renewals = len(world.accounts.renewals)
        asked = len(world.drive.calls)
        refresh = run.refresh()
        eventually(lambda: any(world.accounts.takes(call.bearer) for call in world.drive.calls[asked:]), within=20,
                   what="the new token is used")
        service.kill()
        newest = world.accounts.issued[-1]
        assert len(world.accounts.renewals) == renewals + 1
        service.start()
        refresh.until(lambda operation: operation["done"])
        assert refresh.poll()["status"] == "COMPLETED"
        # The next renewal is asked for with the newest refresh token.
        world.accounts.expire()
        run.refresh(force=True).finish()
        assert world.accounts.renewals[-1].code == newest


def test_credentials_outlive_a_restart(another_service, world, drive_folder):
    service = another_service()
    run = service.begin_drive(drive_folder, auth=world.auth())
    run.finish()
    service.restart()
    run.refresh(force=True).finish()


# At an end.


def failed(run: Run, code: str = "reauthorization_required") -> dict:
    operation = run.finish("FAILED", within=40)
    assert operation["errorCode"] == code, operation
    return operation


def test_a_grant_at_its_end_wants_a_new_consent(service, world, drive_folder):
    run = service.begin_drive(drive_folder, auth=world.auth())
    run.finish()
    world.accounts.expire()
    world.accounts.refusing = says_that_the_grant_is_gone
    failed(run.refresh())
    assert len(run.documents()) == COUNT
    world.accounts.restore()
    response = service.call("PATCH", f"/{run.asset}", json={"auth": world.auth()})
    assert response.status_code == 200, response.text
    assert run.refresh().finish()["itemsSkipped"] == COUNT


def test_a_source_that_refuses_a_renewed_token_too_wants_a_new_consent(service, world, drive_folder):
    run = service.begin_drive(drive_folder, auth=world.auth())
    run.finish()
    before = len(world.accounts.renewals)
    world.drive.always("/drive/v3/files", as_json({"error": {"code": 401}}, 401))
    failed(run.refresh())
    assert len(world.accounts.renewals) - before == 1
    assert len(world.drive.calls_to("q=")) <= 6


def test_a_token_of_the_users_own_is_never_renewed(service, world, drive_folder):
    run = service.begin_drive(drive_folder, auth=world.own_token())
    run.finish()
    before = len(world.accounts.calls)
    world.accounts.expire()
    failed(run.refresh())
    assert len(world.accounts.calls) == before
    service.call("PATCH", f"/{run.asset}", json={"auth": world.own_token()})
    run.refresh().finish()


def test_a_token_that_ends_in_the_midst_fails_the_operation_and_keeps_what_was_read(service, world, drive_folder):
    gate = world.drive.hold("/files/" + next(id for id, file in world.drive.files.items() if file.parent == drive_folder and file.name == "07.txt"))
    run = service.begin_drive(drive_folder)
    gate.arrived()
    run.until(lambda operation: operation["itemsProcessed"] >= 4)
    world.accounts.expire()
    gate.open()
    failed(run)
    assert len([document for document in run.documents() if document["status"] == "COMPLETED"]) >= 4


def test_a_broker_that_is_away_for_a_moment_is_asked_again(service, world, drive_folder):
    """The token has ended, and the broker is started anew."""
    run = service.begin_drive(drive_folder, auth=world.auth())
    run.finish()
    world.accounts.expire()
    world.broker.kill()
    refresh = run.refresh()
    eventually(lambda: world.drive.calls_to("q="), what="the source was asked")
    time.sleep(0.5)
    world.broker.start()
    operation = refresh.until(lambda operation: operation["done"], within=60)
    assert operation["status"] == "COMPLETED" or operation["errorCode"] == "broker_unreachable"
    if operation["status"] == "FAILED":
        run.refresh().finish()


def test_a_broker_that_stays_away_fails_the_operation(service, world, drive_folder):
    run = service.begin_drive(drive_folder, auth=world.auth())
    run.finish()
    world.accounts.expire()
    world.broker.kill()
    try:
        failed(run.refresh(), "broker_unreachable")
        assert len(run.documents()) == COUNT
        # What needs no broker is served.
        service.begin_upload("a.txt", "text").finish()
        assert service.client.get("/readyz").status_code == 200
    finally:
        world.broker.start()
    run.refresh().finish()


# The service, as the broker sees it.


class Recorded:
    """A broker that remembers who asked."""

    def __init__(self, world) -> None:
        self.world = world
        self.token = world.own_token()["accessToken"]
        self.server = Scripted(self._answer)

    def _answer(self, request) -> Answer:
        if request.path.endswith("assets:refreshCredentials"):
            self.token = self.world.own_token()["accessToken"]
            return as_json(self._credentials("google_drive"))
        if request.path.endswith("assets:oauthCredentials"):
            return as_json(self._credentials("google_drive"))
        if request.path.endswith("assets:sourceTypes"):
            return as_json({"items": [], "totalCount": 0})
        return as_json({}, 404)

    def _credentials(self, source_type: str) -> dict:
        return {
            "accessToken": self.token, "refreshToken": "refresh-1", "tokenType": "Bearer", "expiresAt": int(time.time() * 1000) + 10_000,
            "scope": None, "sourceType": source_type, "idToken": None, "extras": {}, "warnings": []}


@pytest.fixture
def recorded(world):
    made = Recorded(world)
    yield made
    made.server.close()


def test_it_calls_the_broker_as_itself_for_one_tenant_and_a_minute(another_service, world, recorded, drive_folder):
    service = another_service({"broker": {"url": recorded.server.url}})
    service.begin_drive(drive_folder, "beta", auth={"credentialKey": "ckr_x"}).finish()
    service.get(":sourceTypes", "beta")
    key = world.installation.service.key.public_key()
    seen = {}
    for call in recorded.server.calls:
        if "refreshCredentials" in call.path or "sourceTypes" in call.path:
            claims = jwt.decode(call.bearer, key, algorithms=["ES256"], audience=tokens.AUDIENCE, issuer=tokens.ISSUER)
            assert claims["tenant"] == "beta" and claims["exp"] - time.time() <= 61
            assert jwt.get_unverified_header(call.bearer)["kid"] == world.installation.service.kid
            seen[call.path.rpartition(":")[2]] = claims["scope"]
    assert seen == {"refreshCredentials": "credentials:write", "sourceTypes": "assets:read"}
    [redemption] = recorded.server.calls_to("oauthCredentials")
    assert "ckr_x" not in redemption.target, "the key belongs into no address"


def test_its_token_may_come_from_a_file_and_is_read_again_when_that_changes(another_service, world, recorded, drive_folder, tmp_path):
    changes = {"url": recorded.server.url, "signingKeyFile": None, "keyId": None, "issuer": None, "audience": None, "tokenFile": str(tmp_path / "token")}
    (tmp_path / "token").write_text("first.token.x\n")
    (tmp_path / "token").chmod(0o600)
    service = another_service({"broker": changes})
    run = service.begin_drive(drive_folder, auth={"credentialKey": "ckr_x"})
    run.finish()
    assert recorded.server.calls_to("refreshCredentials")[-1].bearer == "first.token.x"
    (tmp_path / "token").write_text("second.token.y\n")
    run.refresh(force=True).finish()
    assert recorded.server.calls_to("refreshCredentials")[-1].bearer == "second.token.y"


def test_a_refresh_asks_for_the_assets_own_source_type_and_grant(another_service, recorded, drive_folder):
    service: AssetService = another_service({"broker": {"url": recorded.server.url}})
    service.begin_drive(drive_folder, auth={"credentialKey": "ckr_x"}).finish()
    body = recorded.server.calls_to("refreshCredentials")[0].json
    assert (body["sourceType"], body["refreshToken"]) == ("google_drive", "refresh-1")
