"""Sources and files that mean harm: the service stays up, small and quick, and tells nobody's secrets."""

import gzip
import socket
import time
from pathlib import Path

import pytest

from files import WORD, docx, entities, pdf, reaching_out, zip_bomb
from server import Answer, Dripping, Endless, Raw, Request, Scripted, as_json
from service import AssetService, Run

MEMORY = 700_000  # KiB, of the service itself: a debug build with everything it has


def memory(service: AssetService) -> int:
    """The most that it ever had, in KiB."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def assert_well(service: AssetService) -> None:
    began = time.monotonic()
    assert service.client.get("/readyz").status_code == 200
    assert time.monotonic() - began < 2
    assert service.process.poll() is None
    assert memory(service) < MEMORY, memory(service)


@pytest.fixture
def attacked(another_service) -> AssetService:
    service = another_service({"sources": {"timeout": 5, "maxDocumentBytes": 20_000_000}})
    yield service
    assert_well(service)
    service.begin_upload("after.txt", "all is well").finish()


def ended(run: Run, within: float = 90) -> dict:
    return run.until(lambda operation: operation["done"], within, pause=0.1)


# Files.


def test_a_zip_bomb_fails_itself(attacked):
    run = attacked.begin_upload("bomb.docx", zip_bomb())
    assert ended(run)["status"] == "FAILED"
    assert run.documents()[0]["errorCode"] in ("unreadable", "too_large")


@pytest.mark.parametrize("name", ["docx", "sitemap", "rss", "html"])
def test_a_bomb_of_entities_fails_itself(attacked, world, name):
    match name:
        case "docx":
            body = entities("w:document", f"<w:document {WORD}><w:body><w:p><w:r><w:t>{{lol}}</w:t></w:r></w:p></w:body></w:document>")
            run = attacked.begin_upload("bomb.docx", docx(document=body))
        case "html":
            run = attacked.begin_upload("bomb.html", entities("html", "<html><body><p>{lol}</p></body></html>"))
        case "sitemap":
            body = entities("urlset", "<urlset><url><loc>{lol}</loc></url></urlset>")
            run = attacked.begin("sitemap", {"url": world.site.put("/bomb.xml", body, "application/xml")})
        case "rss":
            body = entities("rss", "<rss version='2.0'><channel><item><title>x</title><description>{lol}</description></item></channel></rss>")
            run = attacked.begin("rss", {"url": world.site.put("/bomb.rss", body, "application/rss+xml")})
    ended(run)
    assert sum(document["fileSize"] or 0 for document in run.documents()) < 1_000_000
    assert run.view()["chunkCount"] < 1000


@pytest.mark.parametrize("name", ["docx", "sitemap", "rss", "html"])
@pytest.mark.parametrize("target", ["file", "web"])
def test_entities_reach_nothing(attacked, world, tmp_path, name, target):
    secret = tmp_path / "secret.txt"
    secret.write_text("the-secret-of-a-file")
    address = secret.as_uri() if target == "file" else world.other.put("/out", "the-secret-of-the-web", "text/plain")
    match name:
        case "docx":
            body = reaching_out("w:document", f"<w:document {WORD}><w:body><w:p><w:r><w:t>x {{out}}</w:t></w:r></w:p></w:body></w:document>", address)
            run = attacked.begin_upload("out.docx", docx(document=body))
        case "html":
            run = attacked.begin_upload("out.html", reaching_out("html", "<html><body><p>x {out}</p></body></html>", address))
        case "sitemap":
            body = reaching_out("urlset", "<urlset><url><loc>{out}</loc></url></urlset>", address)
            run = attacked.begin("sitemap", {"url": world.site.put("/out.xml", body, "application/xml")})
        case "rss":
            body = reaching_out("rss", "<rss version='2.0'><channel><item><title>x</title><description>x {out}</description></item></channel></rss>", address)
            run = attacked.begin("rss", {"url": world.site.put("/out.rss", body, "application/rss+xml")})
    ended(run)
    assert "the-secret" not in "".join(run.text(document) for document in run.documents())
    assert not world.other.calls


@pytest.mark.parametrize("octets", [
    b"%PDF-1.7\n" + bytes(range(256)) * 4000, b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 1 0 R /Kids [1 0 R] >>\nendobj\ntrailer << /Root 1 0 R >>",
    b"%PDF-1.4\n" + b"1 0 obj\n" + b"[" * 200_000, pdf(*["x"] * 50)[:-200] + b"\xff" * 200, b"%PDF-1.4 " + b"(" * 500_000,
    pdf("x").replace(b"/Count 1", b"/Count 2147483647"), pdf("x").replace(b"/Length ", b"/Length 9999999"),
], ids=["bytes", "self", "brackets", "cut", "parentheses", "count", "length"])
def test_garbage_in_a_pdf_fails_itself(attacked, octets):
    run = attacked.begin_upload("bad.pdf", octets)
    ended(run)
    assert run.documents()[0]["status"] in ("FAILED", "COMPLETED")


def test_a_child_that_takes_a_file_apart_is_not_left_behind(attacked):
    for turn in range(5):
        ended(attacked.begin_upload(f"{turn}.pdf", b"%PDF-1.4\n" + b"garbage" * turn))
    children = Path(f"/proc/{attacked.process.pid}/task/{attacked.process.pid}/children").read_text().split()
    states = [Path(f"/proc/{child}/stat").read_text().split(")")[-1].split()[0] for child in children if Path(f"/proc/{child}").exists()]
    assert "Z" not in states


def test_html_of_one_endless_line_or_depth_is_read_in_time(attacked):
    for body in ("<div>" * 400_000, "<p>" + "x" * 10_000_000, "<a href='" + "y" * 5_000_000, "&" * 3_000_000, "<!--" * 1_000_000, "<table>" * 100_000):
        began = time.monotonic()
        ended(attacked.begin_upload("odd.html", body), within=120)
        assert time.monotonic() - began < 90


@pytest.mark.parametrize("text", ["\u0301" * 500_000, "a\u200d" * 300_000, "#" * 1_000_000, "# \n" * 200_000, "```\n" * 200_000, ">" * 500_000, "- " * 300_000],
                         ids=["marks", "joiners", "hashes", "headings", "fences", "quotes", "points"])
def test_text_made_to_be_slow_is_cut_in_time(attacked, text):
    began = time.monotonic()
    ended(attacked.begin_upload("odd.md", text), within=120)
    assert time.monotonic() - began < 60


# The web.


def test_a_page_of_ten_gigabytes_is_not_read_to_its_end(attacked, world):
    endless = Endless(content_type="text/html")
    world.site.page("/big/", "start", ["endless"])
    world.site.send("/big/endless", endless)
    run = attacked.begin("website", {"url": f"{world.site.url}/big/"})
    ended(run)
    [failed] = [document for document in run.documents() if document["status"] == "FAILED"]
    assert failed["errorCode"] == "too_large"
    assert endless.sent < 200_000_000


def test_robots_of_a_gigabyte_are_not_read_to_their_end(attacked, world):
    """RFC 9309 § 2.5: half a megabyte at least is read, and then no more."""
    endless = Endless(size=1 << 30, content_type="text/plain", block=b"Disallow: /nothing\n" * 4000)
    world.site.send("/robots.txt", endless)
    world.site.page("/guarded/", "text")
    run = attacked.begin("website", {"url": f"{world.site.url}/guarded/"})
    ended(run)
    assert endless.sent < 100_000_000


def test_a_page_that_unpacks_without_end_is_not_unpacked(attacked, world):
    bomb = gzip.compress(bytes(b"word " * 40_000_000), 1)
    world.site.page("/packed/", "start", ["bomb"])
    world.site.put("/packed/bomb", bomb, headers={"Content-Encoding": "gzip"})
    run = attacked.begin("website", {"url": f"{world.site.url}/packed/"})
    ended(run)
    assert {document["errorCode"] for document in run.documents()} == {None, "too_large"}


def test_a_sitemap_that_unpacks_without_end_is_not_unpacked(attacked, world):
    bomb = gzip.compress(b"<urlset>" + b" " * 500_000_000, 1)
    run = attacked.begin("sitemap", {"url": world.site.put("/bomb.xml.gz", bomb, "application/gzip")})
    assert ended(run)["status"] == "FAILED"


def test_a_page_that_drips_times_out(attacked, world):
    world.site.page("/drip/", "start", ["slow"])
    world.site.send("/drip/slow", Dripping(content_type="text/html"))
    run = attacked.begin("website", {"url": f"{world.site.url}/drip/"})
    ended(run)
    [failed] = [document for document in run.documents() if document["status"] == "FAILED"]
    assert failed["errorCode"] == "source_timeout"


def test_headers_without_end_are_not_read_to_their_end(attacked, world):
    world.site.page("/headers/", "start", ["many"])
    world.site.send("/headers/many", Raw(body=b"HTTP/1.1 200 OK\r\n" + b"X-Header: value\r\n" * 2_000_000))
    run = attacked.begin("website", {"url": f"{world.site.url}/headers/"})
    ended(run)
    assert [document for document in run.documents() if document["status"] == "FAILED"]


def test_a_feed_with_control_characters_harms_nobody(attacked, world):
    text = "<?xml version='1.0'?><rss version='2.0'><channel>" + "".join(
        f"<item><title>Entry {number}\x00\x01\x1b[31m</title><guid>{number}</guid><description>text\x07\x08&#0;&#x1;</description></item>"
        for number in range(3)) + "</channel></rss>"
    run = attacked.begin("rss", {"url": world.site.put("/control.xml", text, "application/rss+xml")})
    ended(run)
    for document in run.documents():
        assert not set(document["fileName"]) & set(map(chr, range(32)))


def test_names_and_addresses_of_others_are_bounded_and_clean(attacked, world):
    folder = world.drive.folder()
    for name in ("x" * 100_000 + ".txt", "new\nline.txt", "nul\x00.txt", "\u202egnp.txt", "<script>.txt", "\x1b]0;title\x07.txt"):
        world.drive.add(name, "text", folder)
    run = attacked.begin_drive(folder)
    ended(run)
    documents = run.documents()
    assert len(documents) == 6
    for document in documents:
        assert len(document["fileName"]) <= 2048
        assert not set(document["fileName"]) & set(map(chr, range(32)))
    assert "\x1b" not in attacked.logs


# Listings.


def test_a_listing_without_end_ends_at_the_limit(another_service, world):
    """Every page leads to a next one, each with new files."""
    service = another_service({"sources": {"maxDocuments": 500}})
    count = [0]

    def answer(request: Request) -> Answer:
        if "alt=media" in request.target:
            return Answer(200, b"text", "text/plain")
        count[0] += 1
        files = [{"id": f"f{count[0]}x{n}", "name": f"{count[0]}-{n}.txt", "mimeType": "text/plain", "size": "4", "parents": ["root"],
                  "md5Checksum": "0" * 32, "modifiedTime": "2026-01-01T00:00:00.000Z"} for n in range(100)]
        return as_json({"files": files, "nextPageToken": f"t{count[0]}", "incompleteSearch": False})

    endless = Scripted(answer)
    service.process.terminate()
    assert service.wait() == 0
    service.installation.change(sources={"addresses": {"google_drive": endless.url}})
    service.start()
    run = service.begin("google_drive", auth=world.own_token())
    operation = run.finish(within=60)
    assert operation["errorCode"] == "too_many_documents" and operation["errorMessage"]
    assert len(run.documents()) == 500 and count[0] < 20
    endless.close()


@pytest.mark.parametrize("kind", ["same token", "empty pages"])
def test_a_listing_that_goes_in_a_circle_ends_or_is_cancelled(another_service, world, kind):
    service = another_service({"sources": {"maxDocuments": 500}})
    count = [0]

    def answer(request: Request) -> Answer:
        count[0] += 1
        token = "same" if kind == "same token" else f"t{count[0]}"
        return as_json({"files": [], "nextPageToken": token, "incompleteSearch": False})

    circle = Scripted(answer)
    service.process.terminate()
    assert service.wait() == 0
    service.installation.change(sources={"addresses": {"google_drive": circle.url}})
    service.start()
    run = service.begin("google_drive", auth=world.own_token())
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not run.poll()["done"]:
        time.sleep(0.2)
    if not run.poll()["done"]:
        assert run.cancel().status_code == 200
        run.until(lambda operation: operation["done"], within=5)
    assert_well(service)
    circle.close()


def test_a_listing_of_many_megabytes_is_bounded(attacked, world):
    world.drive.always("q=", Endless(content_type="application/json", block=b'{"files": [' + b" " * 60_000))
    run = attacked.begin_drive(world.drive.folder())
    assert ended(run)["status"] == "FAILED"


# Callers.


def test_ten_thousand_documents_are_read(another_service, world):
    service = another_service({"log": {"level": "warning"}})
    folder = world.drive.folder()
    for number in range(10_000):
        world.drive.add(f"{number:05}.txt", f"Document {number}.\n\nSome more text of it.", folder)
    run = service.begin_drive(folder)
    operation = run.finish(within=400, pause=0.5)
    assert operation["itemsProcessed"] == 10_000 and operation["itemsFailed"] == 0
    assert run.view()["documentCount"] == 10_000
    assert_well(service)
    assert run.refresh().finish(within=200, pause=0.2)["itemsSkipped"] == 10_000


def test_uploads_that_stall_hold_nobody_up(another_service):
    service = another_service()
    head = (
        "POST /v1/tenants/acme/assets:file HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"Authorization: {service.bearer()['Authorization']}\r\nContent-Length: 50000000\r\n\r\n--b\r\n").encode()
    stalled = []
    for _ in range(100):
        sock = socket.create_connection(("127.0.0.1", service.installation.port))
        sock.sendall(head)
        stalled.append(sock)
    service.begin_upload("a.txt", "text").finish()
    assert_well(service)
    for sock in stalled:
        sock.close()
