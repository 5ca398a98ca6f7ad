"""The container files of `Deploy/`, as far as reading them goes: they are not built here."""

import json
import re
import shlex
import subprocess

import pytest
import yaml

from broker import Broker, Installation
from machine import REPOSITORY, build_package
from proxies import DEPLOY

COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def instructions() -> list[tuple[str, str]]:
    """Of the Dockerfile: each with its arguments, in order."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line]


def only(instruction: str) -> str:
    [arguments] = [arguments for name, arguments in instructions() if name == instruction]
    return arguments


def test_everything_that_is_copied_is_there():
    copied = [arguments.split()[:-1] for name, arguments in instructions() if name == "COPY"]
    [[_, built]] = [words for words in copied if words[0] == "--from=build"]
    assert all((REPOSITORY / name).exists() for words in copied if words[0] != "--from=build" for name in words)
    made = subprocess.run(["make", "--dry-run", "release"], cwd=REPOSITORY, capture_output=True, text=True).stdout
    assert "--scratch-path .build-release" in made and built == "/source/.build-release/release/cloakroom"


def test_every_folder_that_the_package_names_is_copied():
    """Or `swift build` would not begin."""
    named = set(re.findall(r'path: "([^"/]+)', (REPOSITORY / "Package.swift").read_text()))
    copied = {word for name, arguments in instructions() if name == "COPY" for word in arguments.split()}
    assert named | {"Sources", "Tests"} <= copied


def test_it_runs_as_a_user_with_a_number_and_no_rights():
    user = only("USER").split(":")[0]
    assert user.isdigit() and int(user) > 0
    assert any(f"--uid {user}" in arguments for name, arguments in instructions() if name == "RUN")


def test_the_health_check_can_be_made_and_passes_where_a_broker_is_ready(installation: Installation):
    options, command = only("HEALTHCHECK").split(" CMD ")
    program = shlex.split(command)[0]
    runs = [arguments for name, arguments in instructions() if name == "RUN"]
    assert re.search(rf"apt-get install[^&]* {program} ", runs[-1])
    with Broker(installation):
        check = ["sh", "-c", command]
        env = {"PATH": "/usr/bin:/bin", "CLOAKROOM_HTTP_PORT": str(installation.port)}
        assert subprocess.run(check, env=env).returncode == 0
    assert subprocess.run(check, env=env, stderr=subprocess.DEVNULL).returncode != 0


def test_it_starts_a_broker_with_settings_that_there_are(installation: Installation):
    """Its environment is taken; what it runs is a command."""
    assert json.loads(only("ENTRYPOINT")) == ["cloakroom"]
    assert json.loads(only("CMD"))[0] == "serve"
    settings = dict(pair.split("=", 1) for pair in only("ENV").split())
    settings["CLOAKROOM_STORAGE_URL"] = settings["CLOAKROOM_STORAGE_URL"].replace(
        "/var/lib/cloakroom", str(installation.folder))
    settings |= COMPOSE["services"]["cloakroom"]["environment"]
    assert installation.check(env=settings).returncode == 0


def test_the_libraries_of_the_binary_are_installed(tmp_path):
    """Those that `make deb` finds; what every Debian image has need not be named."""
    if subprocess.run(["which", "dpkg-shlibdeps"], capture_output=True).returncode != 0:
        pytest.skip("dpkg-dev is not installed")
    depends = subprocess.run(
        ["dpkg-deb", "--field", build_package(tmp_path), "Depends"], capture_output=True, text=True, check=True).stdout
    needed = {name.split()[0] for name in depends.split(",")} - {"libc6", "libgcc-s1", "passwd"}
    [install] = [arguments for name, arguments in instructions() if name == "RUN" and "ca-certificates" in arguments]
    assert needed <= set(install.split())


def test_the_services_belong_together():
    broker, caddy = COMPOSE["services"]["cloakroom"], COMPOSE["services"]["caddy"]
    build = broker["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).exists()
    assert caddy["depends_on"] == {"cloakroom": {"condition": "service_healthy"}}
    upstream = caddy["environment"]["CLOAKROOM_UPSTREAM"]
    assert upstream == f"cloakroom:{only('EXPOSE')}" and "{$CLOAKROOM_UPSTREAM:" in (DEPLOY / "Caddyfile").read_text()
    [network] = COMPOSE["networks"]["inside"]["ipam"]["config"]
    assert broker["environment"]["CLOAKROOM_HTTP_TRUSTED_PROXIES"] == network["subnet"]
    mounted = [volume.split(":")[0] for service in (broker, caddy) for volume in service["volumes"]]
    assert {name for name in mounted if "/" not in name} == set(COMPOSE["volumes"])
    assert only("VOLUME") in [volume.split(":")[1] for volume in broker["volumes"]]
