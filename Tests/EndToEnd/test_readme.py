"""The README is true: its commands, its configuration, the token that it asks for, and the answer that it shows."""

import json
import re
import subprocess
import time

from broker import Installation, run
from documents import blocks, commands
from machine import REPOSITORY
from test_docs import Shell, installation, shell, app  # noqa: F401  (fixtures)
from tokens import challenge_of, new_verifier

README = (REPOSITORY / "README.md").read_text()


def test_every_target_of_make_that_a_page_names_is_there():
    text = "".join(path.read_text() for path in [*REPOSITORY.glob("*.md"), *(REPOSITORY / "Docs").glob("*.md")])
    targets = sorted(set(re.findall(r"^(?:\$ )?make ([a-z-]+)", text, re.MULTILINE) + re.findall(r"`make ([a-z-]+)", text)))
    assert {"demo", "test", "release"} <= set(targets)
    result = subprocess.run(["make", "--dry-run", *targets], cwd=REPOSITORY, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_its_commands_run(installation: Installation, shell: Shell):
    [block] = commands("README.md", {
        "make release && install .build-release/release/cloakroom /usr/local/bin": "cloakroom --version",
        # It serves until it is told to stop.
        "cloakroom serve --config cloakroom.yaml": "(timeout 3 cloakroom serve --config cloakroom.yaml || [ $? = 124 ])",
    })
    assert f"redirect address to register: {installation.url}/oauth/callback/wiki" in shell.run(block)


def test_its_configuration_is_one(tmp_path):
    [text] = blocks("yaml", README)
    (tmp_path / "cloakroom.yaml").write_text(text)
    for name, content in [("master.key", run("master-key", "new").stdout), ("google.secret", "secret")]:
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_text(content)
    result = run("check", "--config", tmp_path / "cloakroom.yaml")
    assert result.returncode == 0, result.stderr
    assert "https://broker.example.com/oauth/callback/google for" in result.stdout


def test_its_token_is_accepted_and_its_answer_is_the_brokers(broker):
    [claims] = blocks("json", README)
    token = broker.installation.signer.sign(json.loads(claims) | {"exp": time.time() + 60})
    verifier = new_verifier()
    begun = broker.client.post(
        "/v1/tenants/acme/assets:authorize", headers={"Authorization": f"Bearer {token}"},
        json={"sourceType": "wiki", "exchangeChallenge": challenge_of(verifier)})
    assert begun.status_code == 200, begun.text
    key = broker.finish(broker.provider.consent(begun.json()["authorizationUrl"]))
    shown = json.loads(re.search(r"^\{\"accessToken\".*?\}$", README, re.MULTILINE | re.DOTALL)[0])
    answer = broker.redeem_by_post(key, exchangeVerifier=verifier).json()
    assert shown.keys() == answer.keys()
    assert key.startswith("ckr_")
