"""The container files of `Deploy/`: they are not built here, but what they run and set is tried on this machine."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator

import pytest
import yaml

from broker import Broker, Installation, eventually, free_port, run
from machine import REPOSITORY, build_package
from postgres import PostgresServer
from proxies import DEPLOY, replaced

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


# Docker Compose.


def test_the_services_belong_together():
    services = COMPOSE["services"]
    broker, migrate, postgres, caddy = (services[name] for name in ("cloakroom", "migrate", "postgres", "caddy"))
    build = broker["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).exists()
    assert broker["deploy"]["replicas"] == 2 and migrate["image"] == broker["image"]
    assert migrate["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert broker["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert caddy["depends_on"] == {"cloakroom": {"condition": "service_healthy"}}
    upstream = caddy["environment"]["CLOAKROOM_UPSTREAM"]
    assert upstream == f"cloakroom:{only('EXPOSE')}" and "{$CLOAKROOM_UPSTREAM:" in (DEPLOY / "Caddyfile").read_text()
    [network] = COMPOSE["networks"]["inside"]["ipam"]["config"]
    assert broker["environment"]["CLOAKROOM_HTTP_TRUSTED_PROXIES"] == network["subnet"]
    mounted = [volume.split(":")[0] for service in services.values() for volume in service["volumes"]]
    assert {name for name in mounted if "/" not in name} == set(COMPOSE["volumes"])
    # What is not of the operator's own is here.
    files = {name for name in mounted if name.startswith("./")} - {"./configuration"}
    assert files == {"./roles.sql", "./Caddyfile"} and all((DEPLOY / name).is_file() for name in files)


def test_nothing_is_written_into_a_container_that_is_read_only():
    """As Compose does with a `content`, or with what comes from the environment; files it mounts."""
    written = {
        (kind, name) for kind in ("configs", "secrets") for name, source in COMPOSE.get(kind, {}).items()
        if set(source) != {"file"}}
    for service in COMPOSE["services"].values():
        used = {(kind, name["source"] if isinstance(name, dict) else name)
                for kind in ("configs", "secrets") for name in service.get(kind, [])}
        assert not (service.get("read_only") and used & written)


def test_the_database_is_in_a_folder_that_its_user_makes_and_in_no_volume_of_before():
    """A volume's own folder is another user's: `initdb` could not change its mode. `database` once held an SQLite file."""
    postgres = COMPOSE["services"]["postgres"]
    [(volume, folder)] = [
        volume.split(":") for volume in postgres["volumes"] if volume.split(":")[0] in COMPOSE["volumes"]]
    assert volume == "postgres" and "database" not in COMPOSE["volumes"]
    assert postgres["environment"]["PGDATA"].startswith(f"{folder}/")


def test_only_the_proxy_is_reached_from_elsewhere_and_the_database_by_brokers_alone():
    services = COMPOSE["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["caddy"]
    assert COMPOSE["networks"]["data"]["internal"] is True
    assert {name for name, service in services.items() if "data" in service["networks"]} == {
        "postgres", "migrate", "cloakroom"}
    assert services["postgres"]["user"] == only("USER")
    for name in ("postgres", "migrate", "cloakroom"):
        service = services[name]
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_passwords_are_files_and_each_service_has_its_own():
    """The owner's is not with those who serve."""
    services = COMPOSE["services"]
    assert {name: service["secrets"] for name, service in services.items() if "secrets" in service} == {
        "postgres": ["owner.password", "postgres.password"], "migrate": ["owner.password"],
        "cloakroom": ["postgres.password"]}
    for secret in COMPOSE["secrets"].values():
        assert list(secret) == ["file"]
    for service in services.values():
        for name, value in service["environment"].items():
            assert "PASSWORD" not in name or name.endswith("_FILE") and value.startswith("/run/secrets/"), name
            assert not re.search("//[^/]*:[^/]*@", value), name


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """As the images' is: a role gets in with its password alone."""
    running = PostgresServer()
    (running.folder / "data/pg_hba.conf").write_text("local all owner trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    running.start()
    yield running
    running.close()


def make_owner(server: PostgresServer, password: str) -> None:
    server.query(f"CREATE ROLE cloakroom_owner LOGIN PASSWORD '{password}'")
    server.query("CREATE DATABASE cloakroom OWNER cloakroom_owner ENCODING 'UTF8' TEMPLATE template0")


def test_compose_makes_roles_and_tables_and_its_broker_serves(installation: Installation, server):
    """What its files run, in their order, on a server like its own."""
    secrets = {name: installation.write(name, f"{name}-{'x' * 20}\n", mode=0o600) for name in COMPOSE["secrets"]}
    postgres, migrate, broker = (COMPOSE["services"][name] for name in ("postgres", "migrate", "cloakroom"))
    assert (postgres["environment"]["POSTGRES_USER"], postgres["environment"]["POSTGRES_DB"]) == (
        "cloakroom_owner", "cloakroom")
    make_owner(server, secrets["owner.password"].read_text().strip())
    [source] = [volume.split(":")[0] for volume in postgres["volumes"] if "/docker-entrypoint-initdb.d/" in volume]
    roles = installation.write("roles.sql", replaced(
        (DEPLOY / source).read_text(), {"/run/secrets/": f"{installation.folder}/"}))
    made = subprocess.run(
        ["psql", "-h", server.folder, "-p", str(server.port), "-U", "owner", "-Xq", "-v", "ON_ERROR_STOP=1", "-f", roles,
         "postgres"], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr

    def here(environment: dict) -> dict:
        return {name: value.replace("@postgres/", f"@127.0.0.1:{server.port}/").replace(
            "/run/secrets/", f"{installation.folder}/") for name, value in environment.items()}

    command = [word.replace("/etc/cloakroom/", f"{installation.folder}/") for word in migrate["command"]]
    refused = run(*command[:2], "--config", installation.config, env=here(broker["environment"]))
    assert refused.returncode == 1, "the role that serves makes no tables"
    done = run(*command, env=here(migrate["environment"]))
    assert done.returncode == 0, done.stderr
    ports = {"CLOAKROOM_HTTP_PORT": str(installation.port), "CLOAKROOM_ADMIN_PORT": str(free_port())}
    with Broker(installation, image() | here(broker["environment"]) | ports) as running:
        assert running.credentials()["accessToken"]
    assert server.query("SELECT count(*) FROM flows", "cloakroom") == "1"


# Kubernetes.

KUBERNETES = {manifest["kind"]: manifest for manifest in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())}
PODS = {kind: KUBERNETES[kind]["spec"]["template"] for kind in ("Deployment", "Job")}


def image() -> dict[str, str]:
    """The environment that the image brings, over which a container's own goes."""
    return dict(pair.split("=", 1) for pair in only("ENV").split())


def container(kind: str) -> dict:
    [container] = PODS[kind]["spec"]["containers"]
    return container


def variables(kind: str) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in container(kind)["env"]}


def selects(labels: dict, kind: str) -> bool:
    return labels.items() <= PODS[kind]["metadata"]["labels"].items()


def test_everything_is_there_in_one_namespace():
    assert set(KUBERNETES) == {
        "ConfigMap", "Job", "Deployment", "PodDisruptionBudget", "Service", "NetworkPolicy"}
    assert {manifest["metadata"]["namespace"] for manifest in KUBERNETES.values()} == {"cloakroom"}


@pytest.mark.parametrize("kind", PODS)
def test_a_pod_has_no_rights_and_no_link_variables(kind):
    pod = PODS[kind]["spec"]
    assert pod["enableServiceLinks"] is False and pod["automountServiceAccountToken"] is False
    user = int(only("USER").split(":")[0])
    assert pod["securityContext"] == {
        "runAsNonRoot": True, "runAsUser": user, "runAsGroup": user, "fsGroup": user,
        "seccompProfile": {"type": "RuntimeDefault"}}
    assert container(kind)["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    resources = container(kind)["resources"]
    assert {"cpu", "memory"} <= set(resources["requests"]) and "memory" in resources["limits"]


@pytest.mark.parametrize("kind", PODS)
def test_secrets_are_files_that_the_service_alone_reads(kind):
    """None is in the environment, or in this file; the owner's password is in no broker's pod."""
    assert "envFrom" not in container(kind) and "Secret" not in KUBERNETES
    for name, value in variables(kind).items():
        assert not re.search("//[^/]*:[^/]*@", value), name
    volumes = {volume["name"]: volume for volume in PODS[kind]["spec"]["volumes"]}
    mounts = {mount["name"]: mount for mount in container(kind)["volumeMounts"]}
    assert set(mounts) == set(volumes)
    secrets = {name: volume["secret"] for name, volume in volumes.items() if "secret" in volume}
    assert all(secret["defaultMode"] == 0o440 and mounts[name]["readOnly"] for name, secret in secrets.items())
    named = {secret["secretName"] for secret in secrets.values()}
    assert named == ({"cloakroom"} if kind == "Deployment" else {"cloakroom", "cloakroom-owner"})
    head = (DEPLOY / "kubernetes.yaml").read_text()
    assert all(f"kubectl create secret generic {name} " in head for name in named)
    assert volumes["configuration"]["configMap"]["name"] == KUBERNETES["ConfigMap"]["metadata"]["name"]


def test_two_brokers_of_which_one_stays():
    deployment, budget = KUBERNETES["Deployment"]["spec"], KUBERNETES["PodDisruptionBudget"]["spec"]
    assert deployment["replicas"] == 2 and budget["maxUnavailable"] == 1
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    for labels in (deployment["selector"]["matchLabels"], budget["selector"]["matchLabels"],
                   KUBERNETES["Service"]["spec"]["selector"]):
        assert selects(labels, "Deployment") and not selects(labels, "Job")
    ports = {port["name"]: port["containerPort"] for port in container("Deployment")["ports"]}
    [service] = KUBERNETES["Service"]["spec"]["ports"]
    assert ports[service["targetPort"]] == 8080, "and not the operators' port"
    # Ten seconds for a stop, after what preStop waits.
    waits = int(container("Deployment")["lifecycle"]["preStop"]["exec"]["command"][1])
    assert PODS["Deployment"]["spec"]["terminationGracePeriodSeconds"] >= waits + 10


def test_the_network_lets_through_what_is_named():
    policy = KUBERNETES["NetworkPolicy"]["spec"]
    assert all(selects(policy["podSelector"]["matchLabels"], kind) for kind in PODS)
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert all(rule["from"] and rule["ports"] for rule in policy["ingress"])
    assert [[port["port"] for port in rule["ports"]] for rule in policy["ingress"]] == [[8080], [8081]]
    dns, database, outside = policy["egress"]
    assert {port["port"] for port in dns["ports"]} == {53}
    assert [port["port"] for port in database["ports"]] == [5432] and "0.0.0.0/0" not in str(database)
    assert [port["port"] for port in outside["ports"]] == [443]
    private = {"10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10"}
    assert private <= {network for rule in outside["to"] for network in rule["ipBlock"]["except"]}


def test_kubernetes_makes_the_tables_and_two_brokers_serve(installation: Installation, server):
    """The Job's command, then the Deployment's, with their own configuration and environment; then the probes."""
    folder = installation.folder
    for name, text in {"owner": "owner's", "postgres": "brokers'"}.items():
        installation.write(f"{name}.password", f"{text} password\n", mode=0o600)
    make_owner(server, "owner''s password")
    server.query("CREATE ROLE cloakroom LOGIN PASSWORD 'brokers'' password'")
    database = {"@db.example.com/cloakroom?sslmode=verify-full": f"@127.0.0.1:{server.port}/cloakroom"}
    [(file, text)] = KUBERNETES["ConfigMap"]["data"].items()
    installation.write("cloakroom.yaml", replaced(text, database | {"/etc/cloakroom/secrets": str(folder)}))

    def command(kind: str) -> list[str]:
        config = f"/etc/cloakroom/configuration/{file}"
        assert container(kind)["args"][-2:] == ["--config", config]
        return container(kind)["args"][:-1] + [str(installation.config)]

    def env(kind: str) -> dict[str, str]:
        values = image() | variables(kind)
        values["CLOAKROOM_STORAGE_URL"] = replaced(values["CLOAKROOM_STORAGE_URL"], database)
        return values | {
            name: replaced(value, {"/etc/cloakroom/owner/postgres": f"{folder}/owner"})
            for name, value in values.items() if name.endswith("_FILE")}

    done = run(*command("Job"), env=env("Job"))
    assert done.returncode == 0, done.stderr
    checked = run("check", "--config", installation.config, env=env("Deployment"))
    assert checked.returncode == 0, checked.stderr
    assert "CLOAKROOM_" not in checked.stderr, "each variable is a setting"

    assert command("Deployment") == ["serve", "--config", str(installation.config)]
    probes = {name: container("Deployment")[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {probe["port"] for probe in probes.values()} == {"http"}

    def answers(broker: Broker, probe: str) -> int:
        return broker.client.get(probes[probe]["path"]).status_code

    def one() -> Broker:
        ports = {"CLOAKROOM_HTTP_PORT": str(free_port()), "CLOAKROOM_ADMIN_PORT": str(free_port())}
        return Broker(installation, env("Deployment") | ports)

    with one() as first, one() as second:
        for broker in (first, second):
            assert [answers(broker, probe) for probe in probes] == [200, 200, 200]
        # Without its database a broker gets no requests, and is not restarted either.
        server.stop()
        eventually(lambda: answers(first, "readiness") == 503, 15)
        assert answers(first, "liveness") == 200
        server.start()
        eventually(lambda: answers(first, "readiness") == 200, 15)
