"""The way from brokers to their PostgreSQL: TLS, passwords, PgBouncer; and what the server's own log has of what passed."""

import base64
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from broker import Broker, Installation, assert_problem, eventually, in_background, run
from certificates import Authority
from postgres import PgBouncer, PostgresServer, own
from test_postgres import another, installed
from tokens import challenge_of, new_verifier

PASSWORD = "pässword of the rôle: '\\ \""


# TLS


@pytest.fixture(scope="module")
def authority(folder) -> Authority:
    return Authority(folder, "authority")


@pytest.fixture(scope="module")
def secured(folder, authority) -> Iterator[PostgresServer]:
    """By TCP it takes TLS and a password alone."""
    server = PostgresServer({
        "ssl": "on", "ssl_cert_file": "'server.crt'", "ssl_key_file": "'server.key'", "listen_addresses": "'127.0.0.1, 127.0.0.2'"})
    try:
        certificate = authority.issue("database", server=True)
        for file, name in ((certificate.file, "server.crt"), (certificate.key_file, "server.key")):
            copied = server.folder / "data" / name
            shutil.copy(file, copied)
            copied.chmod(0o600)
            own(copied)
        server.start()
        server.let_in("hostssl all all 127.0.0.0/8 scram-sha-256")
        password = PASSWORD.replace("'", "''")
        server.query(f"CREATE ROLE guest LOGIN PASSWORD '{password}'")
        yield server
    finally:
        server.close()


@pytest.fixture
def guests(secured) -> str:
    """A database of the role with the password."""
    name = secured.database()
    secured.query(f"ALTER DATABASE {name} OWNER TO guest")
    secured.query("GRANT CREATE ON SCHEMA public TO guest", name)
    return name


def with_password(folder: Path, provider, url: str, mode: int = 0o600, **storage) -> Installation:
    installation = Installation(folder, provider, {"storage": {"url": url, "passwordFile": "pg.password"} | storage})
    installation.write("pg.password", PASSWORD + "\n", mode=mode)
    return installation


def test_tls_is_verified_in_full(tmp_path, provider, secured, guests, authority):
    url = f"postgres://guest@127.0.0.1:{secured.port}/{guests}?sslmode=verify-full&sslrootcert={authority.file}"
    installation = with_password(tmp_path / "tls", provider, url + "&channel_binding=require")
    with Broker(installation) as broker:
        assert broker.credentials()
        used = f"SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = '{guests}'"
        assert secured.query(used) == "t"
    assert PASSWORD not in broker.logs


def test_another_authority_or_name_or_none_is_refused_with_words(tmp_path, provider, secured, guests, authority):
    stranger = Authority(tmp_path, "stranger")
    at = f"postgres://guest@127.0.0.1:{secured.port}/{guests}?sslmode="
    refusals = {
        f"{at}verify-full&sslrootcert={stranger.file}": "certificate verify failed",
        f"{at}verify-ca&sslrootcert={stranger.file}": "certificate verify failed",
        f"{at}verify-full": "certificate verify failed",
        f"{at}verify-full&sslrootcert={authority.file}".replace("127.0.0.1", "127.0.0.2"): "127.0.0.2",
        f"{at}disable": "SQLSTATE 28000",
    }
    for number, (url, words) in enumerate(refusals.items()):
        installation = with_password(tmp_path / str(number), provider, url)
        for command in ("check", "serve"):
            refused = run(command, "--config", installation.config)
            assert refused.returncode == 1 and words in refused.stderr, (url, refused.stderr)
            assert refused.stderr.startswith("error: ") and "storage.url" in refused.stderr and "hint: " in refused.stderr
            assert PASSWORD not in refused.stderr and refused.stdout == ""


# Passwords


@pytest.fixture
def address(secured, guests, authority) -> str:
    return f"postgres://guest@127.0.0.1:{secured.port}/{guests}?sslmode=verify-full&sslrootcert={authority.file}"


def test_a_wrong_password_and_none_are_told_apart_without_a_word_of_it(tmp_path, provider, address):
    installation = with_password(tmp_path / "wrong", provider, address)
    installation.write("pg.password", "hunter2\n", mode=0o600)
    refused = installation.check()
    assert refused.returncode == 1 and "the server refuses the password, or has no such role (SQLSTATE 28P01)" in refused.stderr
    assert "hunter2" not in refused.stderr
    (installation.folder / "pg.password").unlink()
    refused = installation.check()
    assert refused.returncode == 1 and "storage.passwordFile" in refused.stderr
    nothing = installed(tmp_path / "none", provider, address)
    refused = nothing.check()
    assert refused.returncode == 1 and "no password" in refused.stderr


def test_a_password_that_changes_is_read_at_the_next_connection(tmp_path, provider, secured, guests, address):
    installation = with_password(tmp_path / "changes", provider, address)
    with Broker(installation) as broker:
        key = broker.key()
        secured.query("ALTER ROLE guest PASSWORD 'another'")
        try:
            installation.write("pg.password", "another\n", mode=0o600)
            secured.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{guests}'")
            assert broker.redeem(key).status_code == 200
        finally:
            password = PASSWORD.replace("'", "''")
            secured.query(f"ALTER ROLE guest PASSWORD '{password}'")


def test_a_password_file_that_others_can_read_is_told(tmp_path, provider, address):
    installation = with_password(tmp_path / "open", provider, address, mode=0o644)
    told = installation.check()
    assert "storage.passwordFile" in told.stderr and "others can read it" in told.stderr
    told = run("doctor", "--config", installation.config)
    assert "storage.passwordFile" in told.stdout and "others can read it" in told.stdout


def passfile(folder: Path, mode: int) -> Path:
    escaped = PASSWORD.replace("\\", "\\\\").replace(":", "\\:")
    path = folder / "pgpass"
    path.write_text(f"127.0.0.1:*:*:guest:{escaped}\n")
    path.chmod(mode)
    return path


def test_a_passfile_gives_the_password(tmp_path, provider, address):
    env = {"PGPASSFILE": str(passfile(tmp_path, 0o600))}
    with Broker(installed(tmp_path / "passfile", provider, address), env) as broker:
        assert broker.credentials()
        assert PASSWORD not in broker.logs


def test_a_passfile_that_others_can_read_is_refused_with_words(tmp_path, provider, address):
    path = passfile(tmp_path, 0o644)
    installation = installed(tmp_path / "open", provider, address)
    for command in ("check", "serve"):
        refused = run(command, "--config", installation.config, env={"PGPASSFILE": str(path)})
        assert refused.returncode == 1
        [error] = [line for line in refused.stderr.splitlines() if line.startswith("error: ")]
        assert str(path) in error and "others can read it" in error, refused.stderr


# PgBouncer


@pytest.fixture(scope="module")
def pooled() -> Iterator[PostgresServer]:
    server = PostgresServer().start()
    yield server
    server.close()


@pytest.fixture
def pool(pooled) -> Iterator[Callable[..., PgBouncer]]:
    running: list[PgBouncer] = []

    def start(mode: str, **options) -> PgBouncer:
        running.append(PgBouncer(pooled, mode, **options))
        return running[-1]

    yield start
    for each in running:
        each.close()


def test_a_pool_of_sessions_serves(tmp_path, provider, pooled, pool):
    bouncer = pool("session")
    name = pooled.database()
    installation = installed(tmp_path / "session", provider, pooled.url(name, port=bouncer.port))
    with Broker(installation) as one, another(installation) as two:
        for _ in range(10):
            key = two.finish(one.consented())
            redemptions = [in_background(lambda broker=broker: httpx.post(
                f"{broker.url}/v1/tenants/acme/assets:oauthCredentials", json={"credentialKey": key}, trust_env=False,
                timeout=30)) for broker in (one, two)]
            assert sorted(redemption.result().status_code for redemption in redemptions) == [200, 400]
        verified = run("audit", "verify", "--config", installation.config)
        assert verified.returncode == 0 and "whole" in verified.stdout, verified.stderr
        # A pool that dies takes all connections with it.
        key = one.key()
        bouncer.close()
        assert_problem(one.redeem(key), 503, "unavailable")
        pool("session", port=bouncer.port)
        for broker in (one, two):
            eventually(lambda: broker.client.get("/readyz").status_code == 200, 5, "ready again")
        assert one.redeem(key).status_code == 200


@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("count, turns", [(0, 0), (1, 0), (4, 0), (2, 1), (3, 1), (4, 1)])
def test_a_pool_of_transactions_is_refused_with_words(tmp_path, provider, pooled, pool, mode, count, turns):
    """Whichever of its connections it takes next: the one that was used last, or each in its turn."""
    bouncer = pool(mode, server_round_robin=turns, default_pool_size=count or 1)
    name = pooled.database()
    installation = installed(tmp_path / mode, provider, pooled.url(name, port=bouncer.port))
    warm(bouncer, name, count)
    for command in (["check"], ["doctor"], ["serve"], ["store", "migrate"]):
        refused = run(*command, "--config", installation.config)
        assert refused.returncode == 1, (command, refused.stdout, refused.stderr)
        told = refused.stdout + refused.stderr
        assert "behind a pool that gives each transaction another connection" in told, (command, told)
        assert "pool_mode = session" in told, (command, told)
    assert pooled.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", name) == "0"


def warm(bouncer: PgBouncer, database: str, count: int) -> None:
    """So many connections to the server that the pool has from before."""
    for asleep in [in_background(lambda: query(bouncer, database, "SELECT pg_sleep(0.5)")) for _ in range(count)]:
        asleep.result()


def query(bouncer: PgBouncer, database: str, sql: str) -> str:
    done = subprocess.run(
        ["psql", "-h", "127.0.0.1", "-p", str(bouncer.port), "-U", "owner", "-XAtqc", sql, database],
        capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# Secrecy


class Secrets:
    """All that nobody but its holder may see, in the forms in which a log could have it."""

    def __init__(self) -> None:
        self.known: dict[str, bytes] = {}

    def add(self, **named: str | bytes) -> None:
        for name, value in named.items():
            octets = value if isinstance(value, bytes) else value.encode()
            assert len(octets) >= 8, name
            self.known[f"{name} {len(self.known)}"] = octets
            # What a token that is base64url stands for.
            try:
                inner = base64.urlsafe_b64decode(octets + b"=" * (-len(octets) % 4))
            except ValueError:
                continue
            if len(inner) >= 16 and base64.urlsafe_b64encode(inner).rstrip(b"=") == octets:
                self.known[f"bytes of {name} {len(self.known)}"] = inner

    def found_in(self, log: bytes) -> list[str]:
        folded = log.lower()
        return [name for name, octets in self.known.items() if any(form in log for form in self._forms(octets))
                or octets.hex().encode() in folded]

    @staticmethod
    def _forms(octets: bytes) -> Iterator[bytes]:
        yield octets
        yield quote(octets, safe="").encode()
        yield octets.replace(b"\\", b"\\\\").replace(b"'", b"''")
        for shift in range(3):
            # Wherever in a longer text that was encoded it begins: its inner part.
            encoded = base64.b64encode(b"\0" * shift + octets)[4 if shift else 0:-4]
            yield encoded
            yield encoded.translate(bytes.maketrans(b"+/", b"-_"))


def test_no_secret_of_a_whole_run_is_in_the_servers_log(tmp_path, strict):
    server = PostgresServer({"log_error_verbosity": "verbose", "log_min_error_statement": "debug5",
                             "log_lock_waits": "on", "log_replication_commands": "on", "log_connections": "on"}).start()
    secrets = Secrets()
    try:
        name = server.database()
        installation = installed(tmp_path / "logged", strict, server.url(name))
        ring = (installation.folder / "master.key").read_text()
        secrets.add(master_key=ring.strip().rpartition(":")[2] or ring.strip(), client_secret=strict.clients["wiki-client"])
        with Broker(installation) as one, another(installation) as two:
            for _ in range(3):
                use(one, two, strict, secrets)
            # Statements that fail are logged with what they were given, unless the session says otherwise.
            server.query(
                "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "RAISE EXCEPTION 'spoiled' USING ERRCODE = '22012'; END $$;", name)
            for table in ("flows", "credential_keys", "clients", "refreshes"):
                server.query(f"CREATE TRIGGER spoil BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION spoil()", name)
            with pytest.raises(AssertionError):
                use(one, two, strict, secrets)
            one.authorize(exchangeChallenge=challenge_of("a" * 43))
            put_client(one, secrets)
            refresh(two, strict, secrets)
            for table in ("flows", "credential_keys", "clients", "refreshes"):
                server.query(f"DROP TRIGGER spoil ON {table}", name)
            use(one, two, strict, secrets)
            verified = run("audit", "verify", "--config", installation.config)
            assert verified.returncode == 0, verified.stderr
        log = (server.folder / "log").read_bytes()
        assert b"parameters: $1 = " in log and b"INSERT INTO flows" in log and b"22012" in log and b"spoiled" in log
        # It has what was presented, in the form that opens nothing.
        digests = server.query("SELECT encode(digest, 'hex') FROM credential_keys WHERE spent_at IS NOT NULL", name).split()
        assert digests and all(digest.encode() in log for digest in digests)
        assert len(secrets.known) > 60
        assert secrets.found_in(log) == []
        for broker in (one, two):
            assert secrets.found_in(broker.log_path.read_bytes()) == []
        # The look finds what is there.
        planted = next(iter(secrets.known.values()))
        for form in (planted, planted.hex().encode(), base64.b64encode(b"x" + planted + b"yy")):
            assert secrets.found_in(b"... " + form + b" ...")
    finally:
        server.close()


def use(one: Broker, two: Broker, strict, secrets: Secrets) -> None:
    """All that goes through a store: flows, redemptions good and bad, refreshes, tenants' clients, revocations."""
    put_client(one, secrets)
    verifier = new_verifier()
    secrets.add(verifier=verifier)
    grant = one.consented(exchangeChallenge=challenge_of(verifier))
    note(grant, secrets)
    secrets.add(code_verifier_challenge=verifier)
    key = two.finish(grant)
    secrets.add(key=key)
    assert one.redeem(key, exchangeVerifier=new_verifier()).status_code == 400
    assert one.redeem_by_post(key, exchangeVerifier=verifier).status_code == 200
    assert two.redeem(key, exchangeVerifier=verifier).status_code == 400
    made_up = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
    secrets.add(made_up=made_up)
    assert two.redeem(made_up).status_code == 400
    assert two.redeem(key[:-1] + ("A" if key[-1] != "A" else "B")).status_code == 400
    # One by the popup, whose outcome is asked for.
    flow = one.begin(exchangeChallenge=challenge_of(verifier))
    waiting = strict.consent(flow.authorization_url)
    note(waiting, secrets)
    secrets.add(key=two.finish(waiting))
    one.outcome_by_post(flow.flow, verifier)
    one.outcome(flow.flow, new_verifier())
    # One that fails, and one that is taken back.
    refused = one.consented()
    note(refused, secrets)
    assert one.callback(refused.callback | {"code": "code-that-is-none-of-theirs"}).status_code in (302, 400, 502)
    revoked = one.consented()
    note(revoked, secrets)
    secrets.add(key=one.finish(revoked))
    answer = two.client.post(
        "/v1/admin/revocations", json={"tenant": "acme", "reason": "leaked", "revokeAtProvider": True},
        headers=two.bearer(scope="broker:admin"))
    assert answer.status_code in (200, 202), answer.text
    refresh(two, strict, secrets)
    two.client.get("/v1/admin/auditEvents?pageSize=100", headers=two.bearer(scope="broker:admin"))


def note(grant, secrets: Secrets) -> None:
    secrets.add(code=grant.code, state=grant.state, access=grant.access_token, refresh=grant.refresh_token)


def refresh(broker: Broker, strict, secrets: Secrets) -> None:
    grant = strict.granted()
    secrets.add(old=grant.code, access=grant.access_token, refresh=grant.refresh_token)
    token = broker.token(scope="credentials:write")
    secrets.add(signature=token.rpartition(".")[2])
    broker.client.post(
        "/v1/tenants/acme/assets:refreshCredentials", headers={"Authorization": f"Bearer {token}"},
        json={"sourceType": "wiki", "refreshToken": grant.code})


def put_client(broker: Broker, secrets: Secrets) -> None:
    own_secret = "0wn-" + new_verifier()
    secrets.add(own_secret=own_secret)
    broker.client.put(
        "/v1/admin/tenants/other/clients/wiki", json={"clientId": "own", "clientSecret": own_secret},
        headers=broker.bearer(tenant=None, scope="broker:admin"))
