"""`cloakroom sources`: lists, explains and checks entries."""

import json
import re

import pytest

from broker import CLIENT_SECRET, Broker, run
from documents import blocks
from machine import REPOSITORY

SOUND = """sourceTypes:
  one: { displayName: One, category: wiki }
  two:
    displayName: Two
    category: wiki
    oauth: { authorizationURL: "https://example.com/a", tokenURL: "https://example.com/t" }
"""


# list.


def test_the_list_is_the_default_and_a_table_for_people():
    listed, usual = run("sources", "list"), run("sources")
    assert listed.returncode == usual.returncode == 0 and listed.stdout == usual.stdout
    head, *rows = listed.stdout.splitlines()
    assert head.split() == ["TYPE", "NAME", "CATEGORY", "OAUTH", "CONFIGURED", "PARAMETERS"]
    types = [row.split()[0] for row in rows]
    assert types == sorted(types) and {"google_drive", "zendesk", "file"} <= set(types)
    assert all(row == row.rstrip() for row in rows)


def test_the_list_says_what_a_configuration_can_start(installation):
    rows = {row.split()[0]: row for row in run("sources", "list", "--config", installation.config).stdout.splitlines()}
    assert re.search(r"yes +yes$", rows["wiki"]) and re.search(r"yes +no$", rows["wiki_unconfigured"])
    assert re.search(r"yes +yes +account$", rows["wiki_account"]) and re.search(r" no$", rows["wiki_upload"])


def test_the_list_as_json_is_that_of_the_api(installation):
    items = json.loads(run("sources", "list", "--json", "--config", installation.config).stdout)
    with Broker(installation) as broker:
        assert items == broker.source_types().json()["items"]


def test_the_list_is_narrowed_by_a_word_or_a_category():
    every = json.loads(run("sources", "list", "--json").stdout)
    crm = json.loads(run("sources", "list", "--category", "crm", "--json").stdout)
    assert crm and crm == [item for item in every if item["category"] == "crm"]
    listed = run("sources", "GOOGLE")
    types = [row.split()[0] for row in listed.stdout.splitlines()[1:]]
    assert {"google_drive", "gmail"} <= set(types) and "slack" not in types
    both = json.loads(run("sources", "list", "google", "--category", "drive", "--json").stdout)
    assert "google_drive" in [item["type"] for item in both] and {item["category"] for item in both} == {"drive"}
    for arguments, words in [(("no_such_thing",), "no source type"), (("--category", "drve"), 'did you mean "drive"?')]:
        refused = run("sources", "list", *arguments)
        assert refused.returncode == 1 and words in refused.stderr


def test_what_nobody_confirmed_is_counted_apart():
    told = run("sources").stderr.strip()
    every, unverified = map(int, re.match(r"(\d+) source types with OAuth, (\d+) of them with unverified facts", told).groups())
    items = json.loads(run("sources", "--json").stdout)
    assert every == sum(item["supportsOAuth"] for item in items)
    assert f"A catalog of {len(items)} source types, {every} of them with OAuth" in (REPOSITORY / "CHANGELOG.md").read_text()
    head, *rows = run("sources", "--unverified").stdout.splitlines()
    assert head.split() == ["TYPE", "NAME", "UNVERIFIED"] and len(rows) == unverified > 0
    quip = next(row for row in rows if row.startswith("quip "))
    assert quip.endswith("  client authentication, scopes")
    listed = json.loads(run("sources", "list", "--unverified", "--json").stdout)
    assert [item["type"] for item in listed] == [row.split()[0] for row in rows]


def test_several_words_and_what_only_the_registration_says_are_found():
    types = [row.split()[0] for row in run("sources", "list", "calendar", "google").stdout.splitlines()[1:]]
    assert types == ["google_calendar"]
    assert run("sources", "list", "google calendar").stdout == run("sources", "list", "calendar", "google").stdout
    assert "outlook" in [row.split()[0] for row in run("sources", "list", "entra", "admin").stdout.splitlines()[1:]]


# show.


def test_an_entry_is_explained(installation):
    shown = run("sources", "show", "wiki_account", "--config", installation.config)
    assert shown.returncode == 0 and shown.stderr == ""
    lines = dict(re.split(r"  +", line, maxsplit=1) for line in shown.stdout.partition("\n\n")[0].splitlines())
    assert lines["source type"] == "wiki_account" and lines["provider"] == "wiki"
    assert lines["redirect address"] == f"{installation.url}/oauth/callback/wiki_account"
    assert lines["scopes"] == "read write" and lines["configured"] == "yes"
    assert lines["client authentication"] == "basic" and lines["PKCE"] == "S256"
    assert "required" in lines["parameter account"] and "Account number" in lines["parameter account"]
    assert lines["revocation"].startswith("none")
    assert "clients:\n  wiki:\n    clientId:" in shown.stdout and "clientSecretFile" in shown.stdout
    assert CLIENT_SECRET not in shown.stdout


def test_every_built_in_entry_can_be_explained():
    """Each that has OAuth says how to register the app and what to set."""
    items = json.loads(run("sources", "list", "--json").stdout)
    assert len(items) > 100
    for item in [*items[::12], next(item for item in items if not item["supportsOAuth"])]:
        shown = run("sources", "show", item["type"])
        assert shown.returncode == 0 and item["displayName"] in shown.stdout
        assert ("registration" in shown.stdout and "settings:" in shown.stdout) == item["supportsOAuth"]


def test_settings_that_are_shown_are_taken(installation):
    """The operator fills the dots, and the configuration is good."""
    shown = run("sources", "show", "zendesk", "--config", installation.config).stdout
    text = shown.partition("settings:\nclients:\n")[2]
    assert text
    config = installation.config.read_text().replace("clients:\n", "clients:\n" + text.replace("…", "an-id"))
    installation.write("cloakroom.yaml", config)
    installation.write("zendesk.secret", "secret", mode=0o600)
    assert installation.check().returncode == 0, installation.check().stderr
    assert "yes" in run("sources", "show", "zendesk", "--config", installation.config).stdout.split("configured")[1]


def test_whose_clients_an_entry_has_is_explained():
    """Okta's app belongs to one org, so the operator names it; Zendesk's global client serves callers' choice."""
    okta, zendesk = run("sources", "show", "okta").stdout, run("sources", "show", "zendesk").stdout
    assert re.search(r"client per instance +yes", okta) and re.search(r"parameter subdomain +set by you", okta)
    assert 'clients:\n  okta:\n    clientId: "…"\n    clientSecretFile: okta.secret\n    parameters:\n      subdomain: "…"' in okta
    assert re.search(r"client per instance +no", zendesk) and re.search(r"parameter subdomain +required", zendesk)
    assert "client per instance" not in run("sources", "show", "google_drive").stdout


def test_a_tenants_own_app_is_explained_with_the_command_that_sets_it(installation):
    """The installation's settings are nothing to a tenant's app."""
    for arguments in (["--config", installation.config], []):
        shown = run("sources", "show", "okta", "--tenant", "acme", *arguments).stdout
        assert shown.endswith(
            "command:\ncloakroom clients set --tenant acme --source-type okta --client-id … --client-secret-file … "
            "--parameter subdomain=…\n")
        assert "settings:" not in shown and "configured" not in shown and "/oauth/callback/okta/" in shown


def test_an_entry_that_lets_callers_lead_the_secret_is_refused(tmp_path):
    file = tmp_path / "a.yaml"
    entry = """sourceTypes:
  led:
    displayName: Led
    category: wiki
    oauth:
      authorizationURL: "https://{site}.example.com/a"
      tokenURL: "https://{site}.example.com/t"
      parameters: { site: { pattern: "^[a-z]+$" } }
"""
    file.write_text(entry)
    refused = run("sources", "lint", file)
    assert refused.returncode == 1 and "led.oauth.clientPerInstance: found nothing" in refused.stderr
    for said in ("true", "false"):
        file.write_text(entry + f"      clientPerInstance: {said}\n")
        assert run("sources", "lint", file).returncode == 0
    file.write_text(entry.replace("[a-z]+", "[a-z.]+") + "      clientPerInstance: false\n")
    refused = run("sources", "lint", file)
    assert refused.returncode == 1 and "led.oauth.parameters.site.pattern" in refused.stderr


@pytest.mark.parametrize("pattern, words", [
    ("(?=a).*", "without lookahead"), ("(a)\\\\1", "without backreferences"), ("(a{1,1000}){1,1000}", "less repetition"),
])
def test_a_pattern_that_is_not_matched_in_linear_time_is_refused_in_words(tmp_path, pattern, words):
    file = tmp_path / "a.yaml"
    file.write_text(SOUND.rstrip().removesuffix("}") + f', parameters: {{ a: {{ pattern: "{pattern}" }} }} }}\n')
    refused = run("sources", "lint", file)
    assert refused.returncode == 1 and words in refused.stderr


def test_an_entry_of_ones_own_needs_the_configuration(installation):
    assert "entries of your own need --config" in run("sources", "show", "wiki").stderr
    unknown = run("sources", "show", "wik", "--config", installation.config)
    assert unknown.returncode == 1 and "need --config" not in unknown.stderr


@pytest.mark.parametrize("name, guess", [("google_drve", "google_drive"), ("Google Drive", None), ("", None)])
def test_an_unknown_entry_is_refused(name, guess):
    for command in (["show", name], ["try", name]):
        refused = run("sources", *command)
        assert refused.returncode == 1 and refused.stdout == "" and refused.stderr.startswith("error: ")
    assert guess is None or guess in run("sources", "show", name).stderr


def test_unverified_facts_are_told(tmp_path):
    shown = run("sources", "show", "neon").stdout
    assert re.search(r"^unverified +client authentication\n +try it with `cloakroom sources try`", shown, re.M)
    shown = run("sources", "show", "podbean").stdout
    assert re.search(r"^unverified +client authentication, scopes, refresh token\n", shown, re.M)
    assert "unverified" not in run("sources", "show", "google_drive").stdout


def test_a_built_in_entry_can_be_taken_over_and_changed(installation, tmp_path):
    shown = run("sources", "show", "neon", "--yaml")
    (tmp_path / "mine.yaml").write_text(shown.stdout.replace("clientAuthentication: post", "clientAuthentication: basic"))
    linted = run("sources", "lint", tmp_path / "mine.yaml")
    assert linted.stdout == "ok: 1 source type\n" and "replaces the built-in entry" in linted.stderr
    assert run("sources", "show", "wiki", "--yaml", "--config", installation.config).returncode == 1


# lint.


def test_sound_files_are_counted(tmp_path):
    (tmp_path / "a.yaml").write_text(SOUND)
    linted = run("sources", "lint", tmp_path / "a.yaml")
    assert (linted.returncode, linted.stdout) == (0, "ok: 2 source types\n")


def test_all_that_is_wrong_is_told_with_file_entry_and_key(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(SOUND + "\n".join([
        "  three: { displayName: Three, category: wiki, oauth: { tokenURL: \"http://example.com/t\", pkce: S257 } }",
        "  Four: { displayName: Four, category: wiki }", "  five: { displayNam: Five, category: wiki }", ""]))
    linted = run("sources", "lint", file)
    assert linted.returncode == 1 and linted.stdout == ""
    for words in ("three.oauth.authorizationURL", "three.oauth.tokenURL", "three.oauth.pkce", "Four", "five.displayNam"):
        line = next((line for line in linted.stderr.splitlines() if words in line), "")
        assert line.startswith(f"error: {file}: "), (words, linted.stderr)


REVIEWED = """sourceTypes:
  mine:
    displayName: Mine
    category: wiki
    registration: Somewhere.
    oauth:
      authorizationURL: "https://accounts.google.com/o/oauth2/v2/auth"
      tokenURL: "https://oauth2.googleapis.com/token"
      scopes: [read]
  hosts:
    displayName: Hosts
    category: wiki
    oauth:
      authorizationURL: "https://{site}.example.com/authorize"
      tokenURL: "https://{site}.example.com/token"
      clientPerInstance: false
      scopes: [read, offline_access]
      parameters: { site: { pattern: "[a-z]+" } }
  slack: { displayName: Slack, category: chat }
"""


@pytest.mark.parametrize("place, words", [
    ("mine.oauth.authorizationParameters.access_type", "no refresh token"),
    ("mine.provider", "is built in as"), ("hosts.registration", "register the app"),
    ("hosts.oauth.parameters.site:", "callers choose the host"), ("hosts.oauth.parameters.site.pattern", "write ^ and $"),
    ("hosts.oauth.scopes", "move it to alwaysScopes"), ("slack.displayName", "replaces the built-in entry"),
])
def test_what_a_reviewer_would_ask_is_a_warning(tmp_path, place, words):
    (tmp_path / "a.yaml").write_text(REVIEWED)
    linted = run("sources", "lint", tmp_path / "a.yaml")
    assert (linted.returncode, linted.stdout) == (0, "ok: 3 source types\n")
    lines = [line for line in linted.stderr.splitlines() if line.startswith(f"warning: sourceTypes.{place}")]
    assert len(lines) == 1 and words in lines[0], linted.stderr


SHARING = """sourceTypes:
  mine:
    displayName: Mine
    category: meetings
    provider: zoom
    registration: Somewhere.
    oauth:
      authorizationURL: "https://zoom.us/oauth/authorize"
      tokenURL: "https://zoom.us/oauth/token"
"""
ELSEWHERE = "the client secret of the built-in zoom would go to "


@pytest.mark.parametrize("old, new, host", [
    ("", "", None),
    ("zoom.us/oauth/token", "evil.example.net/token", "evil.example.net"),
    ("    oauth:\n", "    oauth:\n      revocationURL: https://evil.example.net/r\n", "evil.example.net"),
    ("    oauth:\n", "    oauth:\n      pushedAuthorizationURL: https://evil.example.net/p\n", "evil.example.net"),
    ("    oauth:\n", "    oauth:\n      regions: { eu: { tokenURL: https://evil.example.net/t } }\n", "evil.example.net"),
    ("    oauth:\n", "    oauth:\n      discovery: true\n      issuer: https://evil.example.net\n", "evil.example.net"),
    ("    oauth:\n", "    oauth:\n      tokenOrigin: { callbackParameter: at, pattern: '^https://evil\\.example\\.net$' }\n", "what at tells"),
    ("https://zoom.us/oauth/token\"", "https://evil.example.net/token\"\n      clientAuthentication: none", None),
    ("  mine:", "  zoom:", None),
    ("    provider: zoom\n", "", None),
])
def test_a_secret_that_would_go_to_a_strangers_host_is_warned_of(installation, tmp_path, old, new, host):
    text = SHARING.replace(old, new) if old else SHARING
    (tmp_path / "a.yaml").write_text(text)
    linted = run("sources", "lint", tmp_path / "a.yaml")
    assert linted.returncode == 0, linted.stderr
    installation.write("shared.yaml", text)
    installation.settings["catalogFiles"].append("shared.yaml")
    installation.settings["clients"]["zoom"] = {"clientId": "a", "clientSecret": "b"}
    installation.write_configuration()
    checked = installation.check()
    for told in (linted.stderr, checked.stdout + checked.stderr):
        assert (ELSEWHERE in told) == (host is not None), told
        assert host is None or f"{ELSEWHERE}{host}, which no built-in entry of it names" in told
    assert checked.returncode == 0


def test_a_name_that_is_none_hides_no_other_mistake(tmp_path):
    (tmp_path / "a.yaml").write_text(SOUND.replace("  two:", "  Two:").replace("https://example.com/t", "http://example.com/t"))
    linted = run("sources", "lint", tmp_path / "a.yaml")
    assert linted.returncode == 1
    assert "sourceTypes.Two: found" in linted.stderr and "sourceTypes.Two.oauth.tokenURL: found" in linted.stderr
    assert "--allow-insecure" in linted.stderr


def test_warnings_are_told_beside_errors(tmp_path):
    (tmp_path / "a.yaml").write_text(REVIEWED + "  broken: { displayName: Broken }\n")
    linted = run("sources", "lint", tmp_path / "a.yaml")
    assert linted.returncode == 1 and "sourceTypes.broken.category" in linted.stderr
    assert "warning: sourceTypes.hosts.oauth.scopes" in linted.stderr


def test_the_pages_sample_is_what_a_reviewer_would_take(tmp_path):
    samples = [text for text in blocks("yaml", (REPOSITORY / "Docs/Catalog.md").read_text()) if "entra_calendar" in text]
    (tmp_path / "a.yaml").write_text(samples[0])
    linted = run("sources", "lint", tmp_path / "a.yaml")
    assert (linted.returncode, linted.stdout, linted.stderr) == (0, "ok: 1 source type\n", "")


def test_a_second_authorization_header_is_refused(tmp_path):
    (tmp_path / "a.yaml").write_text(SOUND.replace(
        'tokenURL: "https://example.com/t" }',
        'tokenURL: "https://example.com/t", revocationURL: "https://example.com/r", '
        'revocation: { token: bearer, authentication: basic } }'))
    linted = run("sources", "lint", tmp_path / "a.yaml")
    assert linted.returncode == 1 and "two.oauth.revocation.authentication" in linted.stderr


def test_plain_http_is_taken_where_it_is_allowed(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(SOUND.replace("https://", "http://"))
    assert run("sources", "lint", file).returncode == 1
    taken = run("sources", "lint", "--allow-insecure", file)
    assert taken.returncode == 0 and "sends codes and tokens in the clear" in taken.stderr


@pytest.mark.parametrize("text", [None, "", "- 1", "sourceTypes: [", "sourceTypes: 5"])
def test_a_file_that_is_no_catalog_is_refused_by_name(tmp_path, text):
    if text is not None:
        (tmp_path / "a.yaml").write_text(text)
    linted = run("sources", "lint", tmp_path / "a.yaml")
    assert linted.returncode == 1 and str(tmp_path / "a.yaml") in linted.stderr
