"""`POST assets:file`: multipart in all its forms, and what is refused."""

import socket

import httpx
import pytest

from broker import assert_problem
from files import DOCX, docx, paragraph, pdf
from multipart import Part, file, form, payload
from service import MODEL, AssetService, Run

LIMIT = 1_000_000  # bytes, of the service that is limited


def sent(service: AssetService, *parts: Part, **options) -> httpx.Response:
    return service.call("POST", ":file", **form(*parts, **options))


def made(service: AssetService, *parts: Part, **options) -> Run:
    run = Run.of(service, sent(service, *parts, **options))
    run.finish()
    return run


# What is taken.


def test_a_file_becomes_an_asset_of_one_document(service):
    response = service.upload("Handbook.md", "# Title\n\nText", headers=service.bearer(sub="ada"))
    assert response.status_code == 201
    asset = response.json()["asset"]
    assert response.headers["location"].endswith(f"/v1/tenants/acme/assets/{asset['id']}")
    assert (asset["type"], asset["integrationId"], asset["config"]["sourceType"]) == ("file", None, "file")
    assert asset["displayName"] == "Handbook.md" and asset["createdBy"] == "ada"
    run = Run.of(service, response)
    operation = run.finish()
    assert (operation["itemsTotal"], operation["itemsProcessed"], operation["itemsFailed"]) == (1, 1, 0)
    [document] = run.documents()
    assert document["fileName"] == "Handbook.md" and document["contentType"] == "text/markdown"
    assert document["sourceUrl"] is None and document["fileSize"] == 13
    assert run.text(document) == "# Title\n\nText"


@pytest.mark.parametrize("names", [("File", "Payload"), ("file", "payload"), ("FILE", "PAYLOAD"), ("fIlE", "pAyLoAd")])
@pytest.mark.parametrize("payload_first", [True, False])
def test_parts_come_in_any_order_and_names_in_any_case(service, names, payload_first):
    parts = [file("text", part=names[0]), payload({"Vectorize": False, "Name": "Given"}, part=names[1])]
    run = made(service, *(reversed(parts) if payload_first else parts))
    assert run.view()["displayName"] == "Given"


@pytest.mark.parametrize("members", [
    {"Vectorize": True, "EmbeddingConfig": {"Provider": "openai", "Model": MODEL["model"]}, "EmbeddingLlmConfigId": "6f1c"},
    {"vectorize": True, "embeddingConfig": {"provider": "openai", "model": MODEL["model"]}, "embeddingLlmConfigId": "6f1c"},
    {"VECTORIZE": True, "EMBEDDINGCONFIG": {"PROVIDER": "openai", "MODEL": MODEL["model"]}, "embeddingllmconfigid": "6f1c"},
])
def test_members_of_the_payload_are_read_without_regard_to_case(service, members):
    run = made(service, payload(members), file("text"))
    view = run.view()
    assert view["vectorized"] is True and view["embeddingLlmConfigId"] == "6f1c"
    assert view["embedding"] == MODEL | {"chunkSize": 512, "chunkOverlap": 64}


def test_sizes_of_chunks_are_given_in_the_payload(service):
    config = {"Provider": "openai", "Model": MODEL["model"], "ChunkSize": 32, "ChunkOverlap": 4}
    run = made(service, file("word " * 200), payload({"Vectorize": True, "EmbeddingConfig": config}))
    assert run.view()["embedding"] == MODEL | {"chunkSize": 32, "chunkOverlap": 4}
    assert max(chunk["tokenCount"] for chunk in run.chunks("note.txt")) <= 32


@pytest.mark.parametrize("parts", [
    [], [payload({})], [payload({"Vectorize": False})], [payload({"Vectorize": None, "Name": None, "EmbeddingConfig": None})],
    [payload({"Vectorize": False, "EmbeddingConfig": {"Provider": "openai", "Model": MODEL["model"]}})],
    [payload({"Vectorize": False, "Colour": "blue"}, content_type=None)],
], ids=["none", "empty", "false", "nulls", "unused", "unknown"])
def test_without_vectorize_it_is_cut_and_counted_all_the_same(service, world, parts):
    run = made(service, file("Some text."), *parts)
    assert run.view()["vectorized"] is False and not world.embedder.calls
    [chunk] = run.chunks("note.txt")
    assert chunk["content"] == "Some text." and run.seen[-1]["tokenCount"] == chunk["tokenCount"] == 3


@pytest.mark.parametrize("name, given, told", [
    ("a.txt", None, "text/plain"), ("a.md", "text/plain", "text/markdown"), ("a.MD", "application/octet-stream", "text/markdown"),
    ("a.csv", None, "text/csv"), ("a.html", "text/plain", "text/html"), ("a.HTM", None, "text/html"),
    ("README", "text/markdown", "text/markdown"), ("data", "text/csv; charset=utf-8", "text/csv"), ("a.b.txt", None, "text/plain"),
    ("notes.unknown", "text/plain", "text/plain"),
])
def test_the_type_is_told_by_the_extension_else_by_the_part(service, name, given, told):
    run = made(service, file("<p>a,b</p>", name, content_type=given))
    assert run.document(name)["contentType"] == told


def test_pdf_and_docx_are_taken(service):
    for name, octets, kind in [
        ("a.pdf", pdf("Words in a PDF"), "application/pdf"), ("a.docx", docx(paragraph("Words in a DOCX")), DOCX),
    ]:
        run = made(service, file(octets, name))
        assert run.document(name)["contentType"] == kind and "Words in a" in run.text(name)


@pytest.mark.parametrize("written, read", [
    ("Größe 🎉.txt", "Größe 🎉.txt"), ('a \\"b\\" \\\\ c.txt', 'a "b" \\ c.txt'), ("semi;colon, comma.txt", "semi;colon, comma.txt"),
    ("a%22b.txt", None), ("C:\\\\dir\\\\a.txt", None), ("../../etc/passwd.txt", None), ("/etc/a.txt", None),
], ids=str)
def test_a_file_name_is_read_as_clients_write_it_and_leads_nowhere(service, written, read):
    run = made(service, file("text", written))
    [document] = run.documents()
    if read:
        assert document["fileName"] == read
    stored = [path for path in service.installation.uploads.rglob("*")]
    assert all(path.resolve().is_relative_to(service.installation.uploads.resolve()) for path in stored)


@pytest.mark.parametrize("options", [
    {"preamble": b"This is a preamble.\r\n"}, {"epilogue": b"and an epilogue"}, {"boundary": "-" * 60 + "1234567890"},
    {"boundary": "gc0p4Jq0M2Yt08j34c0p="}, {"boundary": "a b"},
], ids=["preamble", "epilogue", "long", "equals", "space"])
def test_the_frame_may_be_as_rfc_2046_has_it(service, options):
    run = made(service, payload({"Name": "n"}), file("text\r\n--not-the-boundary\r\n"), **options)
    assert run.text("note.txt").rstrip() == "text\n--not-the-boundary"


def test_unknown_parts_are_ignored(service):
    made(service, Part('form-data; name="extra"', b"x"), file("text"), Part('form-data; name="other"; filename="x.png"', b"\x89"))


def test_a_body_in_chunks_is_taken(service):
    parts = form(file("text"))
    octets = parts["content"]
    response = service.call("POST", ":file", headers=parts["headers"], content=iter([octets[:50], octets[50:]]))
    Run.of(service, response).finish()


def test_bytes_of_a_boundary_across_blocks_are_found(service):
    """A file in which the boundary's beginning comes again and again."""
    text = "\r\n--boundar" * 20_000
    run = made(service, file(text), boundary="boundary7")
    assert run.document("note.txt")["fileSize"] == len(text)


# What is refused.


@pytest.mark.parametrize("parts", [
    [], [payload({})], [file("a"), file("b")], [file("a"), file("b", part="file")], [file("a", name=None)], [file("a", name="")],
    [file("")], [file("a"), payload(b"not json")], [file("a"), payload([])], [file("a"), payload(b"null")],
    [file("a"), payload({"Vectorize": True})], [file("a"), payload({"Vectorize": True, "EmbeddingConfig": None})],
    [file("a"), payload({"Vectorize": "yes"})], [file("a"), payload({"Name": 5})], [file("a"), payload({"Name": "x" * 201})],
    [file("a"), payload({"Name": ""})], [file("a"), payload({}), payload({})],
    [file("a"), payload({"Vectorize": True, "EmbeddingConfig": {"Provider": "openai", "Model": MODEL["model"], "ChunkSize": 15}})],
    [file("a"), payload({"Vectorize": True, "EmbeddingConfig": {"Provider": "openai"}})],
], ids=[
    "no-part", "no-file", "two", "two-cases", "unnamed", "empty-name", "empty-file", "no-json", "array", "null", "no-config",
    "null-config", "word", "name-number", "long-name", "empty-name-member", "two-payloads", "small-chunks", "no-model",
])
def test_a_malformed_upload_is_400(service, parts):
    assert_problem(sent(service, *parts), 400, "invalid_request")


def test_an_unknown_model_is_400(service):
    config = {"Provider": "openai", "Model": "another"}
    response = sent(service, file("a"), payload({"Vectorize": True, "EmbeddingConfig": config}))
    assert_problem(response, 400, "unknown_embedding_model")


@pytest.mark.parametrize("content", [
    b"", b"no frame at all", b"--b\r\n", b"--b\r\nContent-Disposition: form-data; name=\"File\"; filename=\"a.txt\"\r\n\r\ntext",
    b"--b\r\n" + b"X: y\r\n" * 10_000 + b"\r\ntext\r\n--b--\r\n", b"--b\r\n\r\ntext\r\n--b--\r\n",
    b"--b\r\nContent-Disposition: form-data; name=\"File\r\n\r\ntext\r\n--b--\r\n", b"--b--\r\n" * 1000,
], ids=["empty", "none", "open", "unended", "headers", "bare", "unquoted", "ends"])
def test_a_broken_frame_is_400(service, content):
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert_problem(service.call("POST", ":file", headers=headers, content=content), 400, "invalid_request")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/mixed; boundary=b", "application/octet-stream", None])
def test_what_is_not_multipart_is_415(service, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    assert_problem(service.call("POST", ":file", headers=headers, content=b"--b--\r\n"), 415, "unsupported_media_type")


def test_multipart_without_a_boundary_is_refused(service):
    response = service.call("POST", ":file", headers={"Content-Type": "multipart/form-data"}, content=b"--b--\r\n")
    assert response.status_code in (400, 415)


@pytest.mark.parametrize("name, content_type", [
    ("a.png", "image/png"), ("a.exe", None), ("a", None), ("a", "application/octet-stream"), ("a.doc", "application/msword"),
    ("a.zip", "application/zip"), (".txt.gz", "application/gzip"),
])
def test_a_type_that_is_not_supported_is_415(service, name, content_type):
    assert_problem(sent(service, file("text", name, content_type=content_type)), 415, "unsupported_media_type")


def test_nothing_is_kept_of_what_was_refused(service):
    before = sorted(service.installation.uploads.rglob("*"))
    count = service.get().json()["totalCount"]
    for parts in ([file("a" * 100_000, "a.png")], [file("a" * 100_000), payload([])], [file("a" * 100_000), file("b")]):
        assert sent(service, *parts).status_code >= 400
    assert sorted(service.installation.uploads.rglob("*")) == before
    assert service.get().json()["totalCount"] == count


# The limit.


@pytest.fixture
def limited(another_service) -> AssetService:
    return another_service({"limits": {"uploadBytes": LIMIT}})


def test_a_file_of_the_limit_is_taken_and_one_byte_more_is_413(limited):
    made(limited, file("a" * LIMIT))
    assert_problem(sent(limited, file("a" * (LIMIT + 1))), 413, "body_too_large")


@pytest.mark.parametrize("framing", ["content-length", "chunked"])
def test_a_client_that_sends_before_it_reads_sees_the_413(limited, framing):
    """Up to twice the limit is read and dropped."""
    for size in (LIMIT * 3 // 2, LIMIT * 19 // 10):
        parts = form(file("a" * size))
        octets = parts["content"]
        head = [
            "POST /v1/tenants/acme/assets:file HTTP/1.1", "Host: x", f"Content-Type: {parts['headers']['Content-Type']}",
            f"Authorization: {limited.bearer()['Authorization']}", "Connection: close",
            "Transfer-Encoding: chunked" if framing == "chunked" else f"Content-Length: {len(octets)}"]
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(octets), octets) if framing == "chunked" else octets
        with socket.create_connection(("127.0.0.1", limited.installation.port), timeout=20) as sock:
            sock.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
            sock.sendall(body)  # all of it, before the first byte of the answer is read
            answer = b""
            while block := sock.recv(65536):
                answer += block
        assert answer.startswith(b"HTTP/1.1 413"), answer[:200]
        assert b"body_too_large" in answer


def test_more_than_twice_the_limit_is_not_read_for_ever(limited):
    """An answer or an end of the connection, but no endless reading."""
    parts = form(file("a" * (8 * LIMIT)))
    try:
        response = limited.call("POST", ":file", **parts, timeout=20)
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        pass
    else:
        assert_problem(response, 413, "body_too_large")
    assert limited.client.get("/readyz").status_code == 200


def test_nobody_without_a_good_token_uploads(limited):
    for headers, status in [({"Authorization": "Bearer x"}, 401), (limited.bearer(scope="assets:read"), 403)]:
        parts = form(file("a" * 100_000))
        response = limited.call("POST", ":file", headers=parts["headers"] | headers, content=parts["content"])
        assert response.status_code == status


# Its life.


def test_an_upload_is_kept_privately_and_goes_with_its_asset(another_service):
    service = another_service()
    run = service.begin_upload("a.txt", "kept for a refresh")
    run.finish()
    stored = [path for path in service.installation.uploads.rglob("*") if path.is_file()]
    assert len(stored) == 1 and stored[0].stat().st_mode & 0o077 == 0
    assert run.delete().status_code == 204
    assert [path for path in service.installation.uploads.rglob("*") if path.is_file()] == []
