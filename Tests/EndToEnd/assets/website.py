"""A web site: pages with links, `robots.txt`, sitemaps and feeds. It answers conditional requests."""

import gzip
import hashlib
from dataclasses import dataclass, field
from html import escape

from server import Answer, Request, Server, redirect


@dataclass
class Page:
    body: bytes
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    etag: bool = False
    modified: str | None = None  # as `Last-Modified` has it

    @property
    def tag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'


class Website(Server):
    """Without robots.txt unless it is put there."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.pages: dict[str, Page | Answer] = {}
        super().__init__(host)

    def put(self, path: str, body: str | bytes, content_type: str = "text/html; charset=utf-8", **members) -> str:
        """The address of a page."""
        self.pages[path] = Page(body.encode() if isinstance(body, str) else body, content_type, **members)
        return self.url + path

    def page(self, path: str, text: str = "", links: list[str] = [], title: str = "", **members) -> str:
        """A page with a title, a text, and links as they are written."""
        anchors = " ".join(f'<a href="{escape(link)}">link</a>' for link in links)
        head = f"<title>{escape(title)}</title>" if title else ""
        return self.put(path, f"<!doctype html><html><head>{head}</head><body><p>{text}</p>{anchors}</body></html>", **members)

    def send(self, path: str, answer: Answer) -> str:
        self.pages[path] = answer
        return self.url + path

    def move(self, path: str, location: str, status: int = 302) -> str:
        return self.send(path, redirect(location, status))

    def robots(self, text: str) -> None:
        self.put("/robots.txt", text, "text/plain")

    def sitemap(self, path: str, *entries: str | tuple[str, str], packed: bool = False) -> str:
        """Of addresses, each with its `lastmod` or without."""
        body = document("urlset", "url", entries).encode()
        return self.put(path, gzip.compress(body) if packed else body, "application/gzip" if packed else "application/xml")

    def sitemap_index(self, path: str, *addresses: str) -> str:
        return self.put(path, document("sitemapindex", "sitemap", addresses), "application/xml")

    def rss(self, path: str, *entries: dict[str, str]) -> str:
        """Items with their members as elements, text escaped."""
        items = "".join("<item>" + elements(entry) + "</item>" for entry in entries)
        frame = '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>News</title>'
        return self.put(path, f"<?xml version='1.0'?>{frame}{items}</channel></rss>", "application/rss+xml")

    def atom(self, path: str, *entries: dict[str, str]) -> str:
        items = "".join(
            f"<entry><id>{escape(entry['id'])}</id><title>{escape(entry['title'])}</title>"
            f"<updated>2026-01-01T00:00:00Z</updated><link href=\"{escape(entry.get('link', ''))}\"/>"
            f"<content type=\"html\">{escape(entry['content'])}</content></entry>" for entry in entries)
        frame = '<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><id>urn:news</id><updated>2026-01-01T00:00:00Z</updated>'
        return self.put(path, f"<?xml version='1.0' encoding='utf-8'?>{frame}{items}</feed>", "application/atom+xml")

    def reads(self, path: str) -> list[Request]:
        return [call for call in self.calls if call.path == path]

    def empty(self) -> None:
        self.pages.clear()
        self.usual()
        self.forget()

    def answer(self, request: Request) -> Answer:
        page = self.pages.get(request.target, self.pages.get(request.path))
        if page is None:
            return Answer(404, b"<h1>Not found</h1>", "text/html")
        if isinstance(page, Answer):
            return page
        headers = dict(page.headers)
        if page.etag:
            headers["ETag"] = page.tag
        if page.modified:
            headers["Last-Modified"] = page.modified
        asked_tag, asked_time = request.headers.get("if-none-match"), request.headers.get("if-modified-since")
        if (page.etag and asked_tag == page.tag) or (not asked_tag and page.modified and asked_time == page.modified):
            return Answer(304, headers=headers)
        return Answer(page.status, page.body, page.content_type, headers)


def elements(members: dict[str, str]) -> str:
    return "".join(f"<{name}>{escape(text)}</{name}>" for name, text in members.items())


def document(root: str, child: str, entries) -> str:
    """sitemaps.org's protocol."""
    made = []
    for entry in entries:
        address, modified = (entry, None) if isinstance(entry, str) else entry
        made.append(f"<{child}>" + elements({"loc": address} | ({"lastmod": modified} if modified else {})) + f"</{child}>")
    return f'<?xml version="1.0" encoding="UTF-8"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{"".join(made)}</{root}>'
