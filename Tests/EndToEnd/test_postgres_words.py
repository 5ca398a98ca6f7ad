"""What an operator is told where a PostgreSQL server or database is not as a broker needs it: what, and what to do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from broker import Broker, free_port, run
from postgres import PostgresServer
from test_postgres import installed


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """One that asks the role `guarded` for a password, and is without TLS."""
    server = PostgresServer()
    rules = server.folder / "data/pg_hba.conf"
    rules.write_text("local all guarded scram-sha-256\nhost all guarded all scram-sha-256\n" + rules.read_text())
    server.start()
    server.query("CREATE ROLE guarded LOGIN PASSWORD 'right'")
    yield server
    server.close()


@pytest.fixture
def served(tmp_path, provider, server):
    """A database that the owner migrated, and an installation whose role it was granted to."""
    name = server.database()
    role = f"role_{name}"
    server.query(f"CREATE ROLE {role} LOGIN")
    installation = installed(tmp_path / "served", provider, server.url(name, user=role))
    assert migrate(server, name, installation, "--grant-to", role).returncode == 0
    return installation, name, role


def migrate(server, name, installation, *options):
    return run("store", "migrate", *options, "--config", installation.config,
               env={"CLOAKROOM_STORAGE_URL": server.url(name)})


def told(installation, *words: str) -> None:
    """By `check` and by `serve`, before anything listens."""
    for command in ["check", "serve"]:
        done = run(command, "--config", installation.config)
        assert done.returncode == 1, done.stdout
        for word in words:
            assert word in done.stderr, (command, done.stderr)


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_refused_password_leads_to_its_file(tmp_path, provider, server, password):
    storage = {"url": server.url("postgres", user="guarded")} | ({"passwordFile": "pg.password"} if password else {})
    installation = installed(tmp_path / "password", provider, storage["url"], {"storage": storage})
    if password:
        installation.write("pg.password", password + "\n", mode=0o600)
    told(installation, "cannot be opened", "see storage.passwordFile", *(["28P01"] if password else []))


@pytest.mark.parametrize("kind", ["open", "no plain file"])
def test_a_passfile_that_is_not_taken_leads_to_passwords(tmp_path, provider, server, kind):
    """Nobody is told to give /dev/null another mode."""
    path = "/dev/null"
    if kind == "open":
        path = str(tmp_path / "pgpass")
        Path(path).write_text("*:*:*:guarded:right\n")
        Path(path).chmod(0o644)
    installation = installed(tmp_path / "passfile", provider, server.url("postgres", user="guarded"))
    refused = run("check", "--config", installation.config, env={"PGPASSFILE": path})
    assert refused.returncode == 1 and "see storage.passwordFile" in refused.stderr, refused.stderr
    assert ("chmod 600 it" in refused.stderr) == (kind == "open"), refused.stderr


def test_a_password_file_that_is_not_there_is_named(tmp_path, provider, server):
    storage = {"url": server.url("postgres", user="guarded"), "passwordFile": "pg.password"}
    installation = installed(tmp_path / "file", provider, storage["url"], {"storage": storage})
    told(installation, f"{installation.folder}/pg.password")


def test_each_way_of_not_getting_in_has_its_own_advice(tmp_path, provider, server):
    server.query("CREATE ROLE few LOGIN CONNECTION LIMIT 0")
    for folder, url, words in [
        ("database", server.url("nowhere"), ["no database of that name", "CREATE DATABASE"]),
        ("role", server.url("postgres", user="nobody_at_all"), ["cannot be opened", "whether the role exists"]),
        ("limit", server.url("postgres", user="few"), ["no connection left", "the role's limit"]),
        ("tls", server.url("postgres", port=server.port) + "?sslmode=require", ["SSL", "see sslmode"]),
        ("down", server.url("postgres", port=free_port()), ["cannot be reached", "whether the server runs"]),
    ]:
        told(installed(tmp_path / folder, provider, url), *words)


def test_tables_that_were_not_granted_are_not_called_missing(tmp_path, provider, server):
    name = server.database()
    server.query(f"CREATE ROLE plain_{name} LOGIN")
    installation = installed(tmp_path / "plain", provider, server.url(name, user=f"plain_{name}"))
    done = migrate(server, name, installation)
    assert done.returncode == 0 and "--grant-to" in done.stdout
    told(installation, "may not use the tables", "--grant-to")
    done = migrate(server, name, installation, "--grant-to", "nobody_at_all")
    assert done.returncode == 1 and 'no role "nobody_at_all"' in done.stderr


def test_a_schema_that_may_not_be_used_is_said(server, served):
    installation, name, role = served
    server.query(f"REVOKE USAGE ON SCHEMA public FROM PUBLIC, {role}", name)
    told(installation, "lacks USAGE on the schema", "--grant-to")
    assert migrate(server, name, installation, "--grant-to", role).returncode == 0
    assert installation.check().returncode == 0


@pytest.mark.parametrize("privilege", ["INSERT on flows", "UPDATE on client_registrations"])
def test_without_a_privilege_no_broker_starts(server, served, privilege):
    installation, name, role = served
    with Broker(installation) as broker:
        assert broker.redeem(broker.key()).status_code == 200
    server.query(f"REVOKE {privilege} FROM {role}", name)
    told(installation, f"lacks {privilege}", "--grant-to")


def test_the_connections_of_a_role_are_counted(server, served):
    installation, name, role = served
    server.query(f"ALTER ROLE {role} CONNECTION LIMIT 4")
    doctor = run("doctor", "--config", installation.config)
    assert "more of this role" in doctor.stdout, doctor.stdout
