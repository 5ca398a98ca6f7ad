"""Web sites: links, depth, origin and directory, redirects, versions, `robots.txt`."""

import pytest

from broker import assert_problem, closed_port
from server import Answer, Hanging, Raw, Reset, busy
from service import AssetService, Run


def crawl(service: AssetService, address: str, status: str = "COMPLETED", within: float = 40, **parameters) -> Run:
    run = service.begin("website", {"url": address} | parameters)
    run.finish(status, within)
    return run


def paths(run: Run, world) -> list[str]:
    """Of the documents, without the origin."""
    return sorted(document["sourceUrl"].removeprefix(world.site.url) for document in run.documents())


# Links.


def test_pages_are_reached_by_links(service, world):
    world.site.page("/docs/", "start", ["one", "two/", "./three?x=1", "#part", "one#again"])
    world.site.page("/docs/one", "page one", ["/docs/four", "one"])
    world.site.page("/docs/two/", "page two", ["..", "../two/"])
    world.site.page("/docs/three?x=1", "page three", ["mailto:a@example.com", "javascript:void(0)", "tel:1", "http://[", ""])
    world.site.page("/docs/four", "page four", [f"{world.site.url}/docs/five"])
    world.site.page("/docs/five", "page five")
    world.site.page("/docs/unlinked", "unlinked")
    run = crawl(service, f"{world.site.url}/docs/")
    assert paths(run, world) == ["/docs/", "/docs/five", "/docs/four", "/docs/one", "/docs/three?x=1", "/docs/two/"]
    asked = [call.target for call in world.site.calls if "/docs/" in call.target]
    assert len(asked) == len(set(asked)), "a page was asked for twice"


def test_only_pages_of_the_origin_and_under_the_directory_are_read(service, world):
    world.site.page("/docs/in/index.html", "start", [
        "deep/page", "../out", "/docs/innot", "/docs/in/../other", f"{world.other.url}/docs/in/page", "//127.0.0.1:9/docs/in/x", "in2"])
    for path in ("/docs/in/deep/page", "/docs/out", "/docs/innot", "/docs/other", "/docs/in/in2"):
        world.site.page(path, path)
    world.other.page("/docs/in/page", "elsewhere")
    run = crawl(service, f"{world.site.url}/docs/in/index.html")
    assert paths(run, world) == ["/docs/in/deep/page", "/docs/in/in2", "/docs/in/index.html"]
    assert not world.other.calls


def test_loops_end(service, world):
    world.site.page("/loop/a", "a", ["b"])
    world.site.page("/loop/b", "b", ["a", "c"])
    world.site.move("/loop/c", "/loop/d")
    world.site.move("/loop/d", "/loop/c")
    run = service.begin("website", {"url": f"{world.site.url}/loop/a"})
    run.until(lambda operation: operation["done"])
    assert {"/loop/a", "/loop/b"} <= set(paths(run, world))
    assert len(world.site.calls_to("/loop/")) < 20


def test_a_site_without_end_ends_at_max_pages_and_removes_nothing_then(service, world):
    for number in range(60):
        world.site.page(f"/endless/{number}", f"page {number}", [str(number + 1), str(number + 2)])
    run = crawl(service, f"{world.site.url}/endless/0", maxPages=7, maxDepth=100)
    assert len(run.documents()) == 7
    before = set(paths(run, world))
    world.site.page("/endless/1", "page 1", [])
    world.site.page("/endless/0", "page 0", ["50", "51"])
    operation = run.refresh().until(lambda operation: operation["done"], within=40)
    assert operation["itemsRemoved"] == 0 and before <= set(paths(run, world))


def test_max_depth_counts_links_from_the_first_page(service, world):
    for number in range(6):
        world.site.page(f"/depth/{number}", f"page {number}", [str(number + 1)])
    world.site.page("/depth/6", "page 6")
    assert len(crawl(service, f"{world.site.url}/depth/0", maxDepth=0).documents()) == 1
    assert len(crawl(service, f"{world.site.url}/depth/0", maxDepth=2).documents()) == 3
    assert len(crawl(service, f"{world.site.url}/depth/0").documents()) == 6  # 5 unless given


@pytest.mark.parametrize("parameters", [{"maxPages": 0}, {"maxPages": -1}, {"maxDepth": -1}, {"maxPages": 10 ** 12}])
def test_a_limit_that_is_none_is_refused(service, world, parameters):
    response = service.create("website", {"url": f"{world.site.url}/"} | parameters)
    assert_problem(response, 400, "invalid_parameter")


@pytest.mark.parametrize("base, link, found", [
    ("", "a%20b", "/base/a%20b"), ('<base href="/base/sub/">', "x", "/base/sub/x"), ("", "/base/x;y=1", "/base/x;y=1"),
    ("", "caf\u00e9", "/base/caf%C3%A9"), ("", " \n/base/spaced\t", "/base/spaced"), ("", "?q=1", "/base/?q=1"),
])
def test_links_are_resolved_as_browsers_do(service, world, base, link, found):
    world.site.put("/base/", f'<html><head>{base}</head><body><p>start</p><a href="{link}">x</a></body></html>')
    world.site.page(found, "found")
    run = crawl(service, f"{world.site.url}/base/")
    assert paths(run, world) == sorted(["/base/", found])


def test_markdown_and_pdf_pages_are_documents_and_images_are_not(service, world):
    from files import pdf
    world.site.page("/mixed/", "start", ["a.md", "b.pdf", "c.png", "d", "e.txt"])
    world.site.put("/mixed/a.md", "# Markdown", "text/markdown")
    world.site.put("/mixed/b.pdf", pdf("Words"), "application/pdf")
    world.site.put("/mixed/c.png", b"\x89PNG", "image/png")
    world.site.put("/mixed/d", b"\x00\x01", "application/octet-stream")
    world.site.put("/mixed/e.txt", "plain", "text/plain")
    run = crawl(service, f"{world.site.url}/mixed/")
    completed = {document["fileName"]: document["contentType"] for document in run.documents()}
    assert {"a.md": "text/markdown", "b.pdf": "application/pdf", "e.txt": "text/plain"}.items() <= completed.items()
    assert len(completed) == 4
    operation = run.poll()
    assert operation["itemsTotal"] == operation["itemsProcessed"] == 6 and operation["itemsFailed"] == 0


# Answers.


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_is_not_there_is_no_document(service, world, status):
    world.site.page("/gone/", "start", ["missing"])
    world.site.send("/gone/missing", Answer(status, b"gone", "text/html"))
    run = crawl(service, f"{world.site.url}/gone/")
    assert paths(run, world) == ["/gone/"]
    operation = run.poll()
    assert (operation["itemsTotal"], operation["itemsFailed"], operation["errorCode"]) == (2, 0, None)


@pytest.mark.parametrize("status", [400, 401, 403, 418, 451])
def test_another_answer_makes_it_failed(service, world, status):
    world.site.page("/refusing/", "start", ["page"])
    world.site.send("/refusing/page", Answer(status, b"no", "text/html"))
    run = crawl(service, f"{world.site.url}/refusing/")
    [failed] = [document for document in run.documents() if document["status"] == "FAILED"]
    assert failed["errorCode"] == "source_rejected" and failed["sourceUrl"].endswith("/refusing/page")


@pytest.mark.parametrize("answer, code", [
    (Answer(404, b"", "text/html"), "source_rejected"), (Answer(403, b"", "text/html"), "source_rejected"),
    (busy(503), "source_rejected"), (Reset(), "source_unreachable"), (Raw(body=b"SSH-2.0-OpenSSH_9.6\r\n"), None),
], ids=["404", "403", "503", "reset", "not-http"])
def test_where_the_address_itself_cannot_be_read_the_operation_failed(service, world, answer, code):
    world.site.send("/first/", answer)
    run = crawl(service, f"{world.site.url}/first/", "FAILED")
    assert run.poll()["errorCode"] in ((code,) if code else ("source_unreachable", "source_rejected"))
    assert run.documents() == []


def test_an_address_that_nobody_listens_at_is_unreachable(service):
    run = crawl(service, f"http://127.0.0.1:{closed_port()}/", "FAILED")
    assert run.poll()["errorCode"] == "source_unreachable" and run.documents() == []


def test_a_name_that_does_not_exist_is_unreachable(service):
    assert crawl(service, "http://does-not-exist.invalid/", "FAILED").poll()["errorCode"] == "source_unreachable"


def test_a_page_that_never_comes_times_out(another_service, world):
    service = another_service({"sources": {"timeout": 1, "retry": {"attempts": 2, "base": 1, "max": 1}}})
    world.site.send("/slow/", Hanging())
    run = crawl(service, f"{world.site.url}/slow/", "FAILED")
    assert run.poll()["errorCode"] == "source_timeout"


# Redirects.


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(service, world, status):
    world.site.page("/moved/", "start", ["old"])
    world.site.move("/moved/old", "new", status)
    world.site.page("/moved/new", "at its new place")
    run = crawl(service, f"{world.site.url}/moved/")
    assert len(run.documents()) == 2
    assert any("at its new place" in run.text(document) for document in run.documents())


def test_five_redirects_are_followed_and_six_are_not(service, world):
    world.site.page("/chain/", "start", ["0", "six"])
    for number in range(5):
        world.site.move(f"/chain/{number}", f"/chain/{number + 1}")
    world.site.page("/chain/5", "the end")
    world.site.move("/chain/six", "/chain/0")
    run = crawl(service, f"{world.site.url}/chain/")
    statuses = {document["sourceUrl"].rpartition("/")[2]: document["status"] for document in run.documents()}
    assert "COMPLETED" in statuses.values() and sum(status == "FAILED" for status in statuses.values()) == 1


def test_a_redirect_out_of_the_site_is_not_followed_into_documents(service, world):
    """Another origin's page is no page of this one."""
    world.site.page("/leaving/", "start", ["away", "up"])
    world.site.move("/leaving/away", f"{world.other.url}/landing")
    world.other.page("/landing", "another site")
    run = service.begin("website", {"url": f"{world.site.url}/leaving/"})
    run.until(lambda operation: operation["done"], within=40)
    assert not any("another site" in run.text(document) for document in run.documents())


# Versions.


def test_a_page_with_a_validator_is_asked_for_conditionally(service, world):
    world.site.page("/cached/", "start", ["tagged", "dated", "plain"])
    world.site.page("/cached/tagged", "tagged", etag=True)
    world.site.page("/cached/dated", "dated", modified="Wed, 21 Oct 2026 07:28:00 GMT")
    world.site.page("/cached/plain", "plain")
    run = crawl(service, f"{world.site.url}/cached/")
    world.site.forget()
    operation = run.refresh().finish()
    assert (operation["itemsSkipped"], operation["itemsTotal"], operation["tokenCount"]) == (4, 4, 0)
    [tagged] = world.site.reads("/cached/tagged")
    [dated] = world.site.reads("/cached/dated")
    [plain] = world.site.reads("/cached/plain")
    assert tagged.headers["if-none-match"] == world.site.pages["/cached/tagged"].tag
    assert dated.headers["if-modified-since"] == "Wed, 21 Oct 2026 07:28:00 GMT"
    assert not {"if-none-match", "if-modified-since"} & plain.headers.keys()


def test_a_forced_refresh_asks_unconditionally(service, world):
    world.site.page("/forced/", "start", etag=True)
    run = crawl(service, f"{world.site.url}/forced/")
    world.site.forget()
    operation = run.refresh(force=True).finish()
    assert operation["itemsSkipped"] == 0 and operation["chunkCount"] == 1
    assert "if-none-match" not in world.site.reads("/forced/")[0].headers


def test_pages_behind_one_that_did_not_change_are_found_still(service, world):
    """A page that answers 304 brings no links: those of before count."""
    world.site.page("/kept/", "start", ["a"], etag=True)
    world.site.page("/kept/a", "a", ["b"], etag=True)
    world.site.page("/kept/b", "b", etag=True)
    run = crawl(service, f"{world.site.url}/kept/")
    world.site.page("/kept/b", "b is new", etag=True)
    operation = run.refresh().finish()
    assert (operation["itemsSkipped"], operation["itemsRemoved"]) == (2, 0)
    assert len(run.documents()) == 3 and "b is new" in run.text(next(d for d in run.documents() if d["sourceUrl"].endswith("/b")))


def test_a_page_that_is_linked_no_more_is_removed(service, world):
    world.site.page("/unlinked/", "start", ["a", "b"])
    world.site.page("/unlinked/a", "a")
    world.site.page("/unlinked/b", "b")
    run = crawl(service, f"{world.site.url}/unlinked/")
    world.site.page("/unlinked/", "start", ["a"])
    assert run.refresh().finish()["itemsRemoved"] == 1
    assert paths(run, world) == ["/unlinked/", "/unlinked/a"]


# robots.txt, RFC 9309.


def test_robots_are_obeyed_as_cloakroomassets(service, world):
    world.site.robots(
        "User-agent: *\nDisallow: /\n\nUser-agent: cloakroomassets\nDisallow: /ro/closed\nAllow: /ro/closed/open\nDisallow: /ro/*.pdf$\n")
    world.site.page("/ro/", "start", ["open", "closed/x", "closed/open", "a.pdf", "a.pdf?x"])
    for path in ("/ro/open", "/ro/closed/x", "/ro/closed/open", "/ro/a.pdf", "/ro/a.pdf?x"):
        world.site.page(path, path)
    run = service.begin("website", {"url": f"{world.site.url}/ro/"})
    run.until(lambda operation: operation["done"])
    read = {call.target for call in world.site.calls if call.target.startswith("/ro/")}
    assert read == {"/ro/", "/ro/open", "/ro/closed/open", "/ro/a.pdf?x"}
    completed = [document for document in run.documents() if document["status"] == "COMPLETED"]
    assert len(completed) == 4
    assert all("cloakroomassets" in call.headers["user-agent"].lower() for call in world.site.calls)


def test_the_group_of_all_holds_where_there_is_no_other(service, world):
    world.site.robots("User-agent: other\nDisallow: /\n\nUser-agent: *\nDisallow: /all/closed\n")
    world.site.page("/all/", "start", ["closed", "open"])
    world.site.page("/all/closed", "closed")
    world.site.page("/all/open", "open")
    service.begin("website", {"url": f"{world.site.url}/all/"}).until(lambda operation: operation["done"])
    assert {call.path for call in world.site.calls} == {"/robots.txt", "/all/", "/all/open"}


def test_a_first_page_that_robots_close_fails_the_operation(service, world):
    world.site.robots("User-agent: *\nDisallow: /shut/\n")
    world.site.page("/shut/", "start")
    run = crawl(service, f"{world.site.url}/shut/", "FAILED")
    assert run.poll()["errorCode"] == "source_address_refused"
    assert not world.site.reads("/shut/") and run.documents() == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 429])
def test_robots_that_are_a_4xx_are_open(service, world, status):
    world.site.send("/robots.txt", Answer(status, b"Disallow: /", "text/plain"))
    world.site.page("/open/", "start")
    assert len(crawl(service, f"{world.site.url}/open/").documents()) == 1


@pytest.mark.parametrize("status", [500, 503])
def test_robots_that_are_a_5xx_are_closed(service, world, status):
    world.site.send("/robots.txt", Answer(status, b"", "text/plain"))
    world.site.page("/closed/", "start")
    run = crawl(service, f"{world.site.url}/closed/", "FAILED")
    assert run.poll()["errorCode"] == "source_address_refused" and not world.site.reads("/closed/")


@pytest.mark.parametrize("text", [
    "\ufeffUser-agent: *\r\nDisallow: /odd/closed\r\n", "USER-AGENT:*\nDISALLOW:/odd/closed", "user-agent: * # all\ndisallow: /odd/closed # this",
    "Disallow: /\nUser-agent: *\nDisallow: /odd/closed\nCrawl-delay: 100\nSitemap: x", "User-agent: *\n\n\nDisallow: /odd/closed",
    "User-agent: a\nUser-agent: *\nDisallow: /odd/closed", "<html>\nUser-agent: *\nDisallow: /odd/cl%6Fsed",
], ids=range(7))
def test_robots_are_read_as_they_are_written(service, world, text):
    world.site.robots(text)
    world.site.page("/odd/", "start", ["closed", "open"])
    world.site.page("/odd/closed", "closed")
    world.site.page("/odd/open", "open")
    service.begin("website", {"url": f"{world.site.url}/odd/"}).until(lambda operation: operation["done"])
    assert {call.path for call in world.site.calls} == {"/robots.txt", "/odd/", "/odd/open"}


def test_robots_are_asked_for_once_a_crawl(service, world):
    world.site.robots("User-agent: *\nDisallow:\n")
    world.site.page("/once/", "start", [str(number) for number in range(10)])
    for number in range(10):
        world.site.page(f"/once/{number}", "page")
    crawl(service, f"{world.site.url}/once/")
    assert len(world.site.reads("/robots.txt")) == 1


# Politeness.


def test_a_host_gets_four_requests_at_once(another_service, world):
    service = another_service({"workers": {"documents": 16, "operations": 8}})
    world.site.page("/polite/", "start", [str(number) for number in range(20)])
    for number in range(20):
        world.site.page(f"/polite/{number}", "page")
    gate = world.site.hold("/polite/1")
    runs = [service.begin("website", {"url": f"{world.site.url}/polite/"}, tenant) for tenant in ("acme", "other")]
    gate.arrived(4)
    for run in runs:
        run.poll()
    # While they wait: the server still counts an answer that has arrived.
    assert world.site.most_at_once <= 4
    gate.open()
    for run in runs:
        run.finish()
