"""The servers of these tests are like those that they stand for: else the tests would prove nothing."""

import json

import httpx
import pytest

from drive import DOCS, FOLDER, File, chosen, holds
from github import rate_limit, sha_of
from notion import block
from server import Answer, Cut, Reset, Scripted, busy
from tokens import challenge_of, new_verifier


@pytest.fixture
def token(world) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.own_token()['accessToken']}"}


# Rules and gates.


def test_rules_come_one_after_the_other_and_then_the_usual_answer():
    server = Scripted(lambda request: Answer(200, request.path.encode()))
    server.next("/a", busy(503, retry_after="7"), Reset(), Cut(body=b"half"))
    first = httpx.get(f"{server.url}/a")
    assert (first.status_code, first.headers["retry-after"]) == (503, "7")
    for _ in range(2):
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{server.url}/a")
    assert httpx.get(f"{server.url}/a").text == "/a"
    assert httpx.get(f"{server.url}/b").text == "/b"
    assert len(server.calls_to("/a")) == 4
    server.close()


# Credentials.


def test_a_flow_gives_a_key_and_the_key_a_token_that_the_sources_take(world):
    verifier = new_verifier()
    key = world.key("google_drive", exchangeChallenge=challenge_of(verifier))
    credentials = world.broker.redeem(key, exchangeVerifier=verifier).json()
    assert credentials["sourceType"] == "google_drive"
    assert world.accounts.takes(credentials["accessToken"])


def test_a_refresh_rotates_and_the_old_refresh_token_is_dead(world):
    credentials = world.broker.redeem(world.key()).json()
    members = {"sourceType": "google_drive", "refreshToken": credentials["refreshToken"]}
    address = f"{world.broker.url}/v1/tenants/acme/assets:refreshCredentials"
    world.accounts.expire()
    renewed = httpx.post(address, json=members, headers=world.broker.bearer(scope="credentials:write")).json()
    assert renewed["refreshToken"] != credentials["refreshToken"]
    assert world.accounts.live == {renewed["accessToken"]}
    # The broker would give its kept answer again: the provider itself is asked.
    form = {"grant_type": "refresh_token", "refresh_token": credentials["refreshToken"]}
    assert httpx.post(f"{world.accounts.url}/token", data=form).status_code in (400, 401)


# Google Drive.


@pytest.mark.parametrize("query, whether", [
    ("'P' in parents and trashed = false", True),
    ("('Q' in parents or 'P' in parents) and not trashed = true", True),
    ("mimeType != 'text/markdown' and 'P' in parents", False),
    ("'P' in parents and trashed=false and (mimeType='application/pdf' or mimeType contains 'text/')", True),
    ("", True),
])
def test_the_drive_knows_queries(query, whether):
    assert holds(query, File("a", "n.md", "text/markdown", "P")) is whether


def test_the_drive_tells_only_the_fields_that_were_asked_for():
    page = {"files": [File("a", "n.md", "text/markdown", "P").members], "nextPageToken": "x", "incompleteSearch": False}
    assert chosen(page, "nextPageToken, files(id, parents,size)") == {
        "nextPageToken": "x", "files": [{"id": "a", "parents": ["P"], "size": "0"}]}


def test_the_drive_lists_in_pages_and_gives_bytes_and_exports(world, token):
    folder = world.drive.folder()
    for number in range(3):
        world.drive.add(f"{number}.md", f"# {number}", folder)
    docs = world.drive.add("Plan", parent=folder, kind=DOCS, markdown="# Plan")
    world.drive.page_size = 2
    url = f"{world.drive.url}/drive/v3/files"
    names, page_token = [], None
    while True:
        query = {"q": f"'{folder}' in parents"} | ({"pageToken": page_token} if page_token else {})
        body = httpx.get(url, params=query, headers=token).json()
        names += [file["name"] for file in body["files"]]
        if not (page_token := body.get("nextPageToken")):
            break
    assert names == ["0.md", "1.md", "2.md", "Plan"]
    assert httpx.get(f"{url}/{docs}/export?mimeType=text/markdown", headers=token).text == "# Plan"
    assert httpx.get(f"{url}/{docs}?alt=media", headers=token).status_code == 403
    assert httpx.get(f"{url}/{folder}?fields=mimeType", headers=token).json() == {"mimeType": FOLDER}
    assert httpx.get(url).status_code == 401


# GitHub.


def test_github_has_trees_and_blobs(world, token):
    name = world.github.repository({"README.md": "# Hi", "docs/a.md": "a"})
    url = f"{world.github.url}/repos/{name}"
    assert httpx.get(url).json()["default_branch"] == "main"
    tree = httpx.get(f"{url}/git/trees/main?recursive=1", headers=token).json()
    assert {entry["path"] for entry in tree["tree"] if entry["type"] == "blob"} == {"README.md", "docs/a.md"}
    blob = f"{url}/git/blobs/{sha_of(b'# Hi')}"
    assert httpx.get(blob).json()["encoding"] == "base64"
    assert httpx.get(blob, headers={"Accept": "application/vnd.github.raw+json"}).text == "# Hi"
    assert httpx.get(url, headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_githubs_rate_limit_tells_when_it_ends():
    assert rate_limit(60).status == 403 and "x-ratelimit-reset" in rate_limit(60).headers


# Notion.


def test_notion_lists_pages_and_blocks_in_pages(world, token):
    token["Notion-Version"] = "2022-06-28"
    inner = block("paragraph", "inner")
    page = world.notion.page("Title", block("heading_1", "Head"), block("toggle", "outer", [inner]))
    found = httpx.post(f"{world.notion.url}/v1/search", json={}, headers=token).json()
    assert page in [result["id"] for result in found["results"]]
    world.notion.page_size = 1
    url = f"{world.notion.url}/v1/blocks"
    first = httpx.get(f"{url}/{page}/children", headers=token).json()
    assert first["has_more"] and first["results"][0]["type"] == "heading_1"
    second = httpx.get(f"{url}/{page}/children", params={"start_cursor": first["next_cursor"]}, headers=token).json()
    toggle = second["results"][0]
    assert toggle["has_children"] and not second["has_more"] and "children of it" not in json.dumps(second)
    [child] = httpx.get(f"{url}/{toggle['id']}/children", headers=token).json()["results"]
    assert child["id"] == inner["id"]


# The web, and embeddings.


def test_a_site_answers_conditional_requests(world):
    address = world.site.put("/page", "text", etag=True)
    tag = httpx.get(address).headers["etag"]
    assert httpx.get(address, headers={"If-None-Match": tag}).status_code == 304
    world.site.put("/page", "other text", etag=True)
    assert httpx.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_the_embedder_counts_in_its_own_way(world):
    from embedder import DIMENSIONS, KEY, tokens_of
    body = httpx.post(
        f"{world.embedder.url}/v1/embeddings", json={"model": "m", "input": ["a b", "c"], "encoding_format": "float"},
        headers={"Authorization": f"Bearer {KEY}"}).json()
    assert [entry["index"] for entry in body["data"]] == [1, 0]
    assert len(body["data"][0]["embedding"]) == DIMENSIONS
    assert body["usage"]["total_tokens"] == tokens_of("a b") + tokens_of("c")
