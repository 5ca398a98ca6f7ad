"""What callers and providers say acts on nobody's terminal: tables, errors and logs show it."""

import json
import re
import subprocess

from broker import Broker, binary, environment, eventually, run

# ESC, BEL, DEL, CSI as one character of C1, a turn of direction, an end of line, nothing that is seen.
HOSTILE = "x\x1b]0;owned\x07\x1b[2J\x7f\x9b31m\u202egpj\u2028\u200by"
ACTIVE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def test_tables_logs_and_errors_show_what_they_were_told(broker, installation):
    sub = HOSTILE
    with Broker(installation) as own:
        own.begin(tenant="shown", headers=own.bearer("shown", sub=sub, jti=HOSTILE))
        denied = {"state": own.begin(tenant="shown").state, "error": "access_denied", "error_description": HOSTILE}
        assert own.callback(denied).status_code == 400
        token = own.token(tenant=None, scope="broker:admin", sub=sub)
        env = {"CLOAKROOM_BROKER": own.url, "CLOAKROOM_TOKEN": token}
        revoked = run("revoke", "--tenant", "shown", "--reason", HOSTILE, "--yes", env=env)
        assert revoked.returncode == 0, revoked.stderr
        table = run("audit", "--tenant", "shown", env=env)
        assert table.returncode == 0
        assert not ACTIVE.search(table.stdout), ascii(table.stdout)
        assert r"\u{1B}]0;owned\u{7}" in table.stdout and r"\u{202E}" in table.stdout
        events = run("audit", "--tenant", "shown", "--json", env=env).stdout
        assert not ACTIVE.search(events), ascii(events)
        assert HOSTILE in {event["detail"] for event in json.loads(events)}
        assert sub in {event["actor"] for event in json.loads(events)}
        assert not ACTIVE.search(own.logs)
        assert any(json.loads(line).get("actor") == sub for line in own.logs.splitlines())


def test_text_logs_show_what_they_were_told(installation):
    installation.settings["log"] = {"level": "info", "format": "text"}
    installation.write_configuration()
    with Broker(installation) as broker:
        broker.begin(headers=broker.bearer(sub=HOSTILE))
        eventually(lambda: r"\u{1B}]0;owned\u{7}" in broker.logs, what="the line")
        assert not ACTIVE.search(broker.logs), ascii(broker.logs)


def test_follow_and_errors_show_what_they_were_told(broker, tmp_path):
    env = {"CLOAKROOM_BROKER": broker.url, "CLOAKROOM_TOKEN": broker.token(tenant=None, scope="broker:admin")}
    process = subprocess.Popen(
        [binary(), "audit", "--follow", "--tenant", "followed"], env=environment(env), stdout=subprocess.PIPE, text=True)
    try:
        broker.begin(tenant="followed", headers=broker.bearer("followed", sub=HOSTILE))
        process.stdout.readline()
        line = process.stdout.readline()
        assert r"\u{1B}]0;owned" in line and not ACTIVE.search(line)
    finally:
        process.kill()
        process.wait()
    for arguments in (["sources", "show", HOSTILE], ["backup", tmp_path / HOSTILE.replace("/", "")], ["serve", "--config", HOSTILE]):
        refused = run(*arguments)
        assert refused.returncode == 1
        assert not ACTIVE.search(refused.stderr), ascii(refused.stderr)


def test_columns_stand_under_one_another_whatever_is_in_them(broker):
    """Widths count scalars, and cutting leaves none of them in half."""
    env = {"CLOAKROOM_BROKER": broker.url, "CLOAKROOM_TOKEN": broker.token(tenant=None, scope="broker:admin")}
    for sub in ("e" + "\u0301" * 100, "\U0001f1e6" * 120, "plain"):
        broker.begin(tenant="columns", headers=broker.bearer("columns", sub=sub))
    lines = run("audit", "--tenant", "columns", env=env).stdout.splitlines()
    column = lines[0].index("ADDRESS")
    assert {line[column:column + 9] for line in lines[1:]} == {"127.0.0.1"}
