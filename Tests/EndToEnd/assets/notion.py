"""Notion's API for one connection: the pages that are shared with it, and their blocks."""

import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from server import Answer, Request, Server, as_json


@dataclass
class Page:
    id: str
    title: str
    blocks: list[dict]
    edited: int = field(default_factory=lambda: int(time.time()))

    @property
    def members(self) -> dict:
        text = [{"type": "text", "plain_text": self.title, "text": {"content": self.title}, "annotations": {}, "href": None}]
        name = re.sub(r"\W+", "-", self.title)
        return {
            "object": "page", "id": self.id, "created_time": stamp(self.edited), "last_edited_time": stamp(self.edited),
            "archived": False, "in_trash": False, "parent": {"type": "workspace", "workspace": True},
            "properties": {"title": {"id": "title", "type": "title", "title": text}},
            "url": f"https://www.notion.so/{name}-{self.id.replace('-', '')}", "public_url": None,
        }


def stamp(seconds: int) -> str:
    """Notion's times have whole minutes; these have seconds, so that a test need not wait."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


def block(kind: str, text: str = "", children: list[dict] | None = None, **members) -> dict:
    """A block of a kind, with its text and what is inside it."""
    rich = [{"type": "text", "plain_text": text, "text": {"content": text, "link": None}, "href": None, "annotations": {
        "bold": False, "italic": False, "strikethrough": False, "underline": False, "code": False, "color": "default"}}]
    return {
        "object": "block", "id": str(uuid.uuid4()), "type": kind, "has_children": bool(children), "archived": False,
        "in_trash": False, kind: {"rich_text": rich if text else []} | members, "children of it": children or [],
    }


class Notion(Server):
    def __init__(self, takes: Callable[[str], bool], host: str = "127.0.0.1") -> None:
        self.takes = takes
        self.pages: dict[str, Page] = {}
        self.page_size = 100
        super().__init__(host)

    def page(self, title: str, *blocks: dict) -> str:
        page = Page(str(uuid.uuid4()), title, list(blocks))
        self.pages[page.id] = page
        return page.id

    def edit(self, id: str, *blocks: dict) -> None:
        self.pages[id].blocks = list(blocks)
        self.pages[id].edited += 60

    def empty(self) -> None:
        self.pages.clear()
        self.page_size = 100
        self.usual()
        self.forget()

    def reads(self, id: str) -> list[Request]:
        return [call for call in self.calls if re.search(rf"/blocks/({id}|{id.replace('-', '')})/children", call.target)]

    def answer(self, request: Request) -> Answer:
        if not self.takes(request.bearer):
            return failure(401, "unauthorized", "API token is invalid.")
        if not re.fullmatch(r"20\d\d-\d\d-\d\d", request.headers.get("notion-version", "")):
            return failure(400, "missing_version", "Notion-Version header failed validation.")
        if (request.method, request.path) == ("POST", "/v1/search"):
            return self._search(request.json if request.body else {})
        if request.method == "GET" and (found := re.fullmatch(r"/v1/blocks/([0-9a-f-]+)/children", request.path)):
            return self._children(str(uuid.UUID(found[1])), request.query)
        if request.method == "GET" and (found := re.fullmatch(r"/v1/pages/([0-9a-f-]+)", request.path)):
            page = self.pages.get(str(uuid.UUID(found[1])))
            return as_json(page.members) if page else failure(404, "object_not_found", "Could not find page.")
        return failure(400, "invalid_request_url", "Invalid request URL.")

    def _search(self, wanted: dict) -> Answer:
        asked = wanted.get("filter", {}).get("value", "page")
        found = [page.members for page in self.pages.values() if asked == "page"]
        return self._page(found, wanted.get("start_cursor"), wanted.get("page_size", 100))

    def _children(self, id: str, query: dict[str, str]) -> Answer:
        inside = self._inside(id)
        if inside is None:
            return failure(404, "object_not_found", "Could not find block.")
        blocks = [{name: value for name, value in block.items() if name != "children of it"} for block in inside]
        return self._page(blocks, query.get("start_cursor"), int(query.get("page_size", "100")))

    def _inside(self, id: str) -> list[dict] | None:
        if id in self.pages:
            return self.pages[id].blocks
        waiting = [block for page in self.pages.values() for block in page.blocks]
        while waiting:
            block = waiting.pop()
            if block["id"] == id:
                return block["children of it"]
            waiting += block["children of it"]
        return None

    def _page(self, results: list[dict], cursor: str | None, size: int) -> Answer:
        start = int(cursor.removeprefix("cursor-")) if cursor else 0
        end = start + min(size, self.page_size)
        more = end < len(results)
        return as_json({
            "object": "list", "results": results[start:end], "has_more": more, "next_cursor": f"cursor-{end}" if more else None})


def failure(status: int, code: str, message: str) -> Answer:
    return as_json({"object": "error", "status": status, "code": code, "message": message}, status)
