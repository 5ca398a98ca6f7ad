"""The process: SIGTERM, one per database, files that nobody else reads, the command line."""

import json
import signal
import subprocess
import time

import pytest
import yaml

from broker import eventually, free_port, merged, run
from server import Hanging
from service import AssetInstallation, AssetService, run_assets
from tokens import Signer


def output(result: subprocess.CompletedProcess) -> str:
    return result.stdout + result.stderr


# SIGTERM.


def test_an_idle_service_stops_at_once(another_service):
    service = another_service()
    service.process.send_signal(signal.SIGTERM)
    assert service.wait(5) == 0


def test_an_interrupt_stops_it_too(another_service):
    service = another_service()
    service.process.send_signal(signal.SIGINT)
    assert service.wait(5) == 0


@pytest.mark.parametrize("place", ["/drive/v3/files", "alt=media"])
def test_what_runs_goes_on_after_the_next_start(another_service, world, place):
    service = another_service()
    folder = world.drive.folder()
    for number in range(5):
        world.drive.add(f"{number}.txt", "text", folder)
    gate = world.drive.hold(place)
    run = service.begin_drive(folder)
    gate.arrived()
    run.poll()
    began = time.monotonic()
    service.process.send_signal(signal.SIGTERM)
    assert service.wait(14) == 0
    assert time.monotonic() - began < 13
    gate.open()
    service.start()
    run.finish()
    assert len(run.documents()) == 5


def test_stops_are_no_crashes_of_a_document(another_service, world):
    """Three of them: the one in work is begun again each time, or has crashed, but is never lost."""
    service = another_service()
    folder = world.drive.folder()
    world.drive.add("a.txt", "text", folder)
    gate = world.drive.hold("alt=media")
    run = service.begin_drive(folder)
    gate.arrived()
    service.process.send_signal(signal.SIGTERM)
    assert service.wait(14) == 0
    service.start()
    gate.open()
    run.finish()
    assert run.document("a.txt")["status"] == "COMPLETED"


def test_a_second_process_on_the_database_ends_with_1(another_service):
    first = another_service()
    run = first.begin_upload("a.txt", "text")
    settings = merged(first.installation.settings, {"http": {"port": free_port()}})
    other = first.installation.write("other.yaml", yaml.safe_dump(settings))
    result = run_assets("serve", "--config", other)
    assert result.returncode == 1 and output(result).strip(), output(result)
    assert "Fatal error" not in output(result)
    run.finish()
    # When the first is gone, even by a crash, the place is free.
    first.restart()
    run.finish()


# Files.


def test_files_are_for_the_owner_alone(another_service):
    service = another_service()
    service.begin_upload("a.txt", "text").finish()
    database = service.installation.database
    ours = [path for path in service.installation.folder.rglob("*") if str(path).startswith(str(database)) and path.is_file()]
    assert database in ours and len(ours) >= 2
    for path in ours:
        assert path.stat().st_mode & 0o777 == 0o600, path


# The command line.


def test_a_good_configuration_is_said_to_be_good(installation):
    result = installation.check()
    assert result.returncode == 0, output(result)


def test_check_leaves_no_trace(installation):
    before = sorted(installation.folder.iterdir())
    installation.check()
    assert sorted(installation.folder.iterdir()) == before


def test_a_minimal_configuration_is_enough(installation):
    """What has no default."""
    broker = installation.settings["broker"]
    installation.settings = {name: installation.settings[name] for name in ("auth", "masterKeyFile")} | {"broker": broker}
    installation.write_configuration()
    result = installation.check()
    assert result.returncode == 0, output(result)


@pytest.mark.parametrize("arguments", [["fly"], ["serve", "--config"], ["check", "--config", "a", "b"], ["serve", "--nonsense"]])
def test_bad_usage_is_2(arguments):
    assert run_assets(*arguments).returncode == 2


def test_help_and_version_are_no_failures():
    for argument in ("--help", "--version"):
        result = run_assets(argument)
        assert result.returncode in (0, 2) and output(result)


@pytest.mark.parametrize("change, setting", [
    ({"http": {"port": "eighty"}}, "http.port"), ({"http": {"prot": 80}}, "http.prot"), ({"nonsense": 1}, "nonsense"),
    ({"auth": {"issuer": None}}, "auth.issuer"), ({"auth": {"jwksFile": "missing.json"}}, "auth.jwksFile"),
    ({"masterKeyFile": "missing.key"}, "masterKeyFile"), ({"masterKeyFile": None}, "masterKeyFile"),
    ({"storage": {"url": "mysql://x/y"}}, "storage.url"), ({"broker": {"url": "nowhere"}}, "broker.url"),
    ({"broker": {"url": None}}, "broker.url"), ({"broker": {"signingKeyFile": "missing.pem"}}, "broker.signingKeyFile"),
    ({"broker": {"timeout": 0}}, "broker.timeout"), ({"sources": {"retry": {"attempts": 0}}}, "sources.retry.attempts"),
    ({"sources": {"allowInsecure": "perhaps"}}, "sources.allowInsecure"), ({"sources": {"maxDocuments": -1}}, "sources.maxDocuments"),
    ({"sources": {"addresses": {"google_drive": "nowhere"}}}, "sources.addresses.google_drive"),
    ({"sources": {"addresses": {"dropbox": "https://x.example"}}}, "dropbox"),
    ({"chunking": {"size": 8}}, "chunking.size"), ({"chunking": {"size": 64, "overlap": 40}}, "chunking.overlap"),
    ({"workers": {"operations": 0}}, "workers.operations"), ({"limits": {"uploadBytes": "many"}}, "limits.uploadBytes"),
    ({"log": {"level": "loud"}}, "log.level"), ({"frontend": {"origins": ["app.example.com"]}}, "frontend.origins"),
    ({"embedding": {"models": [{"provider": "openai", "model": "m"}]}}, "embedding.models"),
    ({"embedding": {"models": [{"provider": "openai", "model": "m", "url": "https://x.example/", "dimensions": 0, "pricePerMillionTokens": 1}]}}, "dimensions"),
], ids=str)
@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_wrong_setting_is_named_and_nothing_starts(installation, command, change, setting):
    installation.change(**change)
    result = run_assets(command, "--config", installation.config)
    assert result.returncode == 1, output(result)
    assert setting in output(result), output(result)
    assert "Fatal error" not in output(result) and "PRIVATE KEY" not in output(result)


@pytest.mark.parametrize("text", ["", "- a\n", "a: [", "http: {port: 1, port: 2}", "\x00", "a: &a [*a]\n"])
def test_a_file_that_is_no_configuration_ends_with_1(installation, text):
    installation.write("assets.yaml", text)
    for command in ("check", "serve"):
        result = run_assets(command, "--config", installation.config)
        assert result.returncode == 1 and output(result).strip()


def test_a_missing_file_ends_with_1(tmp_path):
    result = run_assets("serve", "--config", tmp_path / "missing.yaml")
    assert result.returncode == 1 and "missing.yaml" in output(result)


def test_the_environment_wins(installation):
    with AssetService(installation, {"CLOAKROOM_ASSETS_CHUNKING_SIZE": "100", "CLOAKROOM_ASSETS_CHUNKING_OVERLAP": "7"}) as service:
        view = service.begin_upload("a.txt", "text").view()
        assert (view["embedding"]["chunkSize"], view["embedding"]["chunkOverlap"]) == (100, 7)
    refused = installation.check({"CLOAKROOM_ASSETS_HTTP_PORT": "eighty"})
    assert refused.returncode == 1 and "CLOAKROOM_ASSETS_HTTP_PORT" in output(refused)


def test_a_port_of_the_environment_is_served(installation):
    installation.port += 1
    with AssetService(installation, {"CLOAKROOM_ASSETS_HTTP_PORT": str(installation.port)}) as service:
        assert service.client.get("/healthz").status_code == 200


def test_a_port_that_is_taken_ends_with_1(another_service, world, tmp_path):
    service = another_service()
    installation = AssetInstallation(tmp_path / "second", world, {"http": {"port": service.installation.port}})
    result = run_assets("serve", "--config", installation.config)
    assert result.returncode == 1 and output(result).strip()


def test_another_master_key_opens_nothing(another_service, world):
    """It is said, at start or when the credentials are needed; the text is there."""
    service = another_service()
    folder = world.drive.folder()
    world.drive.add("a.txt", "text", folder)
    asset = service.begin_drive(folder, auth=world.auth())
    asset.finish()
    service.kill()
    service.installation.write("assets.key", run("master-key", "new").stdout, mode=0o600)
    try:
        service.start()
    except AssertionError:
        return  # refused at start
    assert asset.refresh().until(lambda operation: operation["done"])["status"] == "FAILED"
    assert asset.text("a.txt") == "text"


def test_log_lines_are_json_and_hold_the_operations_id(another_service, world):
    service = another_service()
    world.drive.always("/drive/v3/files", Hanging())
    run = service.begin_drive(world.drive.folder())
    world.drive.usual()
    run.until(lambda operation: True)
    run.cancel()
    eventually(lambda: run.operation in service.logs, within=10, what="the log names the operation")
    for line in service.logs.splitlines():
        assert isinstance(json.loads(line), dict), line


def test_an_issuer_with_another_key_is_refused(another_service):
    service = another_service()
    service.installation.signer = Signer.new("ES256", service.installation.signer.kid)
    assert service.get().status_code == 401
