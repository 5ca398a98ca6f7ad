"""Sitemaps and feeds: what is listed at one address and told elsewhere, or there."""

import gzip

import pytest

from server import Answer
from service import AssetService, Run


def read(service: AssetService, source_type: str, address: str, status: str = "COMPLETED", **parameters) -> Run:
    run = service.begin(source_type, {"url": address} | parameters)
    run.finish(status, within=40)
    return run


def paths(run: Run, world) -> list[str]:
    return sorted(document["sourceUrl"].removeprefix(world.site.url) for document in run.documents())


def pages(world, folder: str, count: int) -> list[str]:
    return [world.site.page(f"/{folder}/{number}", f"page {number}") for number in range(count)]


# Sitemaps.


def test_every_address_of_a_sitemap_is_a_document(service, world):
    listed = pages(world, "map", 3)
    run = read(service, "sitemap", world.site.sitemap("/map/sitemap.xml", *listed))
    assert paths(run, world) == ["/map/0", "/map/1", "/map/2"]
    assert "page 1" in run.text(next(document for document in run.documents() if document["sourceUrl"] == listed[1]))


def test_addresses_of_other_origins_are_passed_over(service, world):
    elsewhere = world.other.page("/page", "elsewhere")
    run = read(service, "sitemap", world.site.sitemap("/own/sitemap.xml", *pages(world, "own", 1), elsewhere, "ftp://x/", "nonsense"))
    assert paths(run, world) == ["/own/0"] and not world.other.calls


@pytest.mark.parametrize("packed", [True, False])
def test_indexes_and_gz_are_followed(service, world, packed):
    first, second = pages(world, f"index{packed}", 2)
    maps = [
        world.site.sitemap(f"/maps{packed}/a.xml.gz", first, packed=packed),
        world.site.sitemap_index(f"/maps{packed}/inner.xml", world.site.sitemap(f"/maps{packed}/b.xml", second)),
    ]
    run = read(service, "sitemap", world.site.sitemap_index(f"/maps{packed}/index.xml", *maps))
    assert len(run.documents()) == 2


def test_a_gz_that_is_also_encoded_is_followed(service, world):
    """`Content-Encoding: gzip` beside the name: what many servers say of a .gz."""
    [page] = pages(world, "encoded", 1)
    world.site.sitemap("/encoded/a.xml.gz", page, packed=True, )
    world.site.pages["/encoded/a.xml.gz"].headers = {"Content-Encoding": "gzip"}
    assert len(read(service, "sitemap", f"{world.site.url}/encoded/a.xml.gz").documents()) == 1


def test_indexes_that_lead_to_each_other_end(service, world):
    world.site.sitemap_index("/loops/a.xml", f"{world.site.url}/loops/b.xml")
    world.site.sitemap_index("/loops/b.xml", f"{world.site.url}/loops/a.xml", world.site.sitemap("/loops/c.xml", *pages(world, "loops", 1)))
    run = service.begin("sitemap", {"url": f"{world.site.url}/loops/a.xml"})
    run.until(lambda operation: operation["done"])
    assert paths(run, world) == ["/loops/0"]
    assert len(world.site.calls_to("/loops/")) < 12


def test_max_pages_bounds_a_sitemap(service, world):
    run = service.begin("sitemap", {"url": world.site.sitemap("/bound/sitemap.xml", *pages(world, "bound", 9)), "maxPages": 4})
    run.until(lambda operation: operation["done"])
    assert len(run.documents()) == 4


def test_the_same_lastmod_is_the_same_version(service, world):
    one, two, three = pages(world, "dated", 3)
    address = world.site.sitemap("/dated/sitemap.xml", (one, "2026-01-01"), (two, "2026-01-01"), three)
    run = read(service, "sitemap", address)
    world.site.forget()
    world.site.page("/dated/0", "new text that nobody was told of")
    world.site.page("/dated/1", "new text of two")
    world.site.sitemap("/dated/sitemap.xml", (one, "2026-01-01"), (two, "2026-02-02T10:00:00Z"), three)
    operation = run.refresh().finish()
    assert operation["itemsSkipped"] == 2
    assert not world.site.reads("/dated/0") and world.site.reads("/dated/1")
    texts = " ".join(run.text(document) for document in run.documents())
    assert "new text of two" in texts and "nobody was told" not in texts


def test_an_address_that_left_the_sitemap_is_removed(service, world):
    listed = pages(world, "left", 3)
    run = read(service, "sitemap", world.site.sitemap("/left/sitemap.xml", *listed))
    world.site.sitemap("/left/sitemap.xml", *listed[:2])
    assert run.refresh().finish()["itemsRemoved"] == 1
    assert paths(run, world) == ["/left/0", "/left/1"]


def test_a_page_that_is_not_there_is_no_document(service, world):
    run = read(service, "sitemap", world.site.sitemap("/holes/sitemap.xml", *pages(world, "holes", 1), f"{world.site.url}/holes/none"))
    operation = run.poll()
    assert (len(run.documents()), operation["itemsTotal"], operation["itemsFailed"]) == (1, 2, 0)


@pytest.mark.parametrize("answer", [
    Answer(404, b"", "text/html"), Answer(200, b"no xml", "application/xml"), Answer(200, b"", "application/xml"),
    Answer(200, b"<html><body>a page</body></html>", "text/html"), Answer(200, b"\x1f\x8b\x08 broken", "application/gzip"),
], ids=["404", "no-xml", "empty", "html", "broken-gz"])
def test_a_sitemap_that_cannot_be_read_fails_the_operation(service, world, answer):
    world.site.send("/bad/sitemap.xml", answer)
    run = read(service, "sitemap", f"{world.site.url}/bad/sitemap.xml", "FAILED")
    assert run.poll()["errorCode"] == "source_rejected" and run.documents() == []


def test_a_sitemap_may_be_broken_after_some_addresses(service, world):
    """What was listed before is kept; nothing is removed for it."""
    listed = pages(world, "half", 3)
    run = read(service, "sitemap", world.site.sitemap("/half/sitemap.xml", *listed))
    whole = world.site.pages["/half/sitemap.xml"].body
    world.site.put("/half/sitemap.xml", whole[:whole.index(b"/half/1")], "application/xml")
    operation = run.refresh().until(lambda operation: operation["done"])
    assert operation["itemsRemoved"] == 0 and len(run.documents()) == 3


def test_an_empty_sitemap_removes_what_was_there(service, world):
    run = read(service, "sitemap", world.site.sitemap("/emptied/sitemap.xml", *pages(world, "emptied", 2)))
    world.site.sitemap("/emptied/sitemap.xml")
    assert run.refresh().finish()["itemsRemoved"] == 2 and run.documents() == []


def test_addresses_are_unescaped(service, world):
    world.site.page("/amp/?a=1&b=2", "escaped")
    run = read(service, "sitemap", world.site.sitemap("/amp/sitemap.xml", f"{world.site.url}/amp/?a=1&b=2"))
    assert paths(run, world) == ["/amp/?a=1&b=2"]


# Feeds.


def entry(number: int, text: str = "", **members: str) -> dict[str, str]:
    return {"title": f"Entry {number}", "link": f"http://news.example/{number}", "guid": f"urn:{number}",
            "description": text or f"<p>Text of <b>entry</b> {number} &amp; more</p>"} | members


def test_an_entry_of_rss_is_a_document_of_its_own_text(service, world):
    run = read(service, "rss", world.site.rss("/rss.xml", entry(1), entry(2)))
    assert run.names() == ["Entry 1", "Entry 2"]
    document = run.document("Entry 1")
    assert document["sourceUrl"] == "http://news.example/1"
    text = run.text(document)
    assert "Text of entry 1 & more" in text and "<" not in text
    assert {call.path for call in world.site.calls} <= {"/rss.xml", "/robots.txt"}


def test_content_is_preferred_to_a_description(service, world):
    run = read(service, "rss", world.site.rss("/content.xml", entry(1, "short", **{"content:encoded": "<p>the long text</p>"})))
    assert "the long text" in run.text("Entry 1")


def test_an_entry_of_atom_is_a_document_of_its_own_text(service, world):
    address = world.site.atom("/atom.xml", {
        "id": "urn:1", "title": "First", "link": "http://news.example/1", "content": "<p>Text of <i>one</i></p>"})
    run = read(service, "rss", address)
    document = run.document("First")
    assert document["sourceUrl"] == "http://news.example/1" and "Text of one" in run.text(document)


def test_an_entry_that_left_the_feed_stays_and_a_changed_one_is_renewed(service, world):
    run = read(service, "rss", world.site.rss("/moving.xml", entry(1), entry(2), entry(3)))
    ids = {document["fileName"]: document["id"] for document in run.documents()}
    world.site.rss("/moving.xml", entry(2, "changed text"), entry(3), entry(4))
    operation = run.refresh().finish()
    assert (operation["itemsRemoved"], operation["itemsSkipped"], operation["itemsTotal"]) == (0, 1, 3)
    assert run.names() == ["Entry 1", "Entry 2", "Entry 3", "Entry 4"]
    assert run.document("Entry 2")["id"] == ids["Entry 2"] and "changed text" in run.text("Entry 2")


def test_entries_without_guid_or_link_are_told_apart(service, world):
    bare = [{"title": f"Bare {number}", "description": f"text {number}"} for number in range(3)]
    run = read(service, "rss", world.site.rss("/bare.xml", *bare))
    assert run.names() == ["Bare 0", "Bare 1", "Bare 2"]
    assert run.refresh().finish()["itemsSkipped"] == 3


@pytest.mark.parametrize("body", [
    b"<rss><channel><item><title>x</title>", b"no feed", b"", b"<html></html>", b"{}", b"<?xml version='1.0'?><other/>",
], ids=["open", "text", "empty", "html", "json", "other"])
def test_what_is_no_feed_fails_the_operation(service, world, body):
    world.site.put("/nofeed.xml", body, "application/rss+xml")
    run = service.begin("rss", {"url": f"{world.site.url}/nofeed.xml"})
    operation = run.until(lambda operation: operation["done"])
    if body.startswith(b"<rss><channel><item>"):
        return  # as far as it goes, or not at all
    assert (operation["status"], operation["errorCode"]) == ("FAILED", "source_rejected")


def test_an_empty_feed_is_completed(service, world):
    run = read(service, "rss", world.site.rss("/emptyfeed.xml"))
    assert run.documents() == []


def test_a_feed_in_another_encoding_is_read(service, world):
    text = "<?xml version='1.0' encoding='iso-8859-1'?><rss version='2.0'><channel><item><title>Größe</title>" \
        "<description>Käse</description></item></channel></rss>"
    world.site.put("/latin.xml", text.encode("latin-1"), "application/rss+xml")
    run = read(service, "rss", f"{world.site.url}/latin.xml")
    assert "Käse" in run.text("Größe")


def test_a_feed_that_is_compressed_is_read(service, world):
    world.site.rss("/packed.xml", entry(1))
    page = world.site.pages["/packed.xml"]
    page.body, page.headers = gzip.compress(page.body), {"Content-Encoding": "gzip"}
    assert read(service, "rss", f"{world.site.url}/packed.xml").names() == ["Entry 1"]
