"""Google Drive's API as version 3 documents it, for one account: listings by query, downloads, exports.

It answers with those members alone that `fields` asks for, as the real one does.
"""

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from server import Answer, Request, Server, as_json

FOLDER = "application/vnd.google-apps.folder"
DOCS = "application/vnd.google-apps.document"
SHEETS = "application/vnd.google-apps.spreadsheet"
SLIDES = "application/vnd.google-apps.presentation"

KINDS = {
    ".txt": "text/plain", ".md": "text/markdown", ".html": "text/html", ".csv": "text/csv", ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".png": "image/png",
}


@dataclass
class File:
    id: str
    name: str
    kind: str
    parent: str
    content: bytes = b""
    exports: dict[str, bytes] = field(default_factory=dict)
    modified: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    trashed: bool = False

    @property
    def is_native(self) -> bool:
        return self.kind.startswith("application/vnd.google-apps.")

    @property
    def members(self) -> dict:
        """The resource; a native file has no bytes, and so neither size nor checksum."""
        whole, thousandths = divmod(self.modified, 1000)
        made = {
            "kind": "drive#file", "id": self.id, "name": self.name, "mimeType": self.kind, "parents": [self.parent],
            "trashed": self.trashed, "webViewLink": f"https://drive.google.com/file/d/{self.id}/view",
            "modifiedTime": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{thousandths:03}Z",
        }
        if not self.is_native:
            made |= {"md5Checksum": hashlib.md5(self.content).hexdigest(), "size": str(len(self.content))}
        return made


class Drive(Server):
    """`takes` tells which access tokens are good."""

    def __init__(self, takes: Callable[[str], bool], host: str = "127.0.0.1") -> None:
        self.takes = takes
        self.files: dict[str, File] = {}
        self.incomplete = False
        self.page_size = 1000
        super().__init__(host)

    # The account.

    def folder(self, name: str = "Folder", parent: str = "root") -> str:
        return self._put(name, FOLDER, parent)

    def add(self, name: str, content: str | bytes = b"", parent: str = "root", kind: str = "", **exports: str) -> str:
        """A file; its type is told by the name. `exports` of a native one: by what follows the slash of the type."""
        octets = content.encode() if isinstance(content, str) else content
        found = kind or next((kind for ending, kind in KINDS.items() if name.endswith(ending)), "application/octet-stream")
        made = {f"text/{name}": text.encode() for name, text in exports.items()}
        return self._put(name, found, parent, octets, made)

    def _put(self, name: str, kind: str, parent: str, content: bytes = b"", exports: dict[str, bytes] = {}) -> str:
        file = File(f"1{secrets.token_urlsafe(20)}", name, kind, parent, content, exports)
        self.files[file.id] = file
        return file.id

    def change(self, id: str, content: str | bytes) -> None:
        file = self.files[id]
        file.content = content.encode() if isinstance(content, str) else content
        self.touch(id)

    def touch(self, id: str) -> None:
        self.files[id].modified += 1000

    def remove(self, id: str) -> None:
        del self.files[id]

    def empty(self) -> None:
        self.files.clear()
        self.incomplete, self.page_size = False, 1000
        self.usual()
        self.forget()

    def reads(self, id: str) -> list[Request]:
        """The requests for the bytes of a file."""
        return [call for call in self.calls_to(f"/files/{id}") if "alt=media" in call.target or "/export" in call.target]

    # The API.

    def answer(self, request: Request) -> Answer:
        if not self.takes(request.bearer):
            return failure(401, "authError", "Invalid Credentials")
        found = re.fullmatch(r"/drive/v3/files(?:/([\w-]+)(/export)?)?", request.path)
        if request.method != "GET" or not found:
            return failure(404, "notFound", f"{request.method} {request.path}")
        if not found[1]:
            return self._list(request.query)
        file = self.files.get(found[1])
        if not file and found[1] == "root":
            file = File("root", "My Drive", FOLDER, "")
        if not file:
            return failure(404, "notFound", f"File not found: {found[1]}.")
        if found[2]:
            kind = request.query.get("mimeType", "")
            if kind not in file.exports:
                return failure(400, "badRequest", "The requested conversion is not supported.")
            return Answer(200, file.exports[kind], kind)
        if request.query.get("alt") == "media":
            if file.is_native:
                return failure(403, "fileNotDownloadable", "Only files with binary content can be downloaded. Use Export.")
            return Answer(200, file.content, file.kind)
        return as_json(chosen(file.members, request.query.get("fields", "kind,id,name,mimeType")))

    def _list(self, query: dict[str, str]) -> Answer:
        found = [file for file in self.files.values() if holds(query.get("q", ""), file)]
        start = int(base64.urlsafe_b64decode(query["pageToken"])) if "pageToken" in query else 0
        size = min(int(query.get("pageSize", "100")), self.page_size)
        page = {"kind": "drive#fileList", "incompleteSearch": self.incomplete}
        page["files"] = [file.members for file in found[start:start + size]]
        if start + size < len(found):
            page["nextPageToken"] = base64.urlsafe_b64encode(str(start + size).encode()).decode()
        usual = "kind,incompleteSearch,nextPageToken,files(kind,id,name,mimeType)"
        return as_json(chosen(page, query.get("fields", usual)))


def failure(status: int, reason: str, message: str) -> Answer:
    detail = {"domain": "global", "reason": reason, "message": message}
    return as_json({"error": {"code": status, "message": message, "errors": [detail]}}, status)


def rate_limit(reason: str = "userRateLimitExceeded", **headers: str) -> Answer:
    """The older form: 403 with a reason."""
    answer = failure(403, reason, "User Rate Limit Exceeded")
    answer.headers |= {name.replace("_", "-"): value for name, value in headers.items()}
    return answer


def chosen(value: dict, fields: str) -> dict:
    """The members that a `fields` parameter names, such as `nextPageToken,files(id,name)` or `files/id`."""
    if fields == "*":
        return value
    result: dict = {}
    for part in re.findall(r"[^,()]+(?:\((?:[^()]|\([^()]*\))*\))?", fields):
        name, _, inner = part.strip().rstrip(")").partition("(" if "(" in part else "/")
        if name not in value:
            continue
        if not inner:
            result[name] = value[name]
        elif isinstance(value[name], list):
            result[name] = [chosen(item, inner) for item in value[name]]
        else:
            result[name] = chosen(value[name], inner)
    return result


def holds(query: str, file: File) -> bool:
    """The part of Drive's query language that asks for parents, types and the trash."""
    words = re.findall(r"\(|\)|'(?:[^'\\]|\\.)*'|!=|=|[\w]+", query)
    position = 0

    def taken(word: str) -> bool:
        nonlocal position
        if position < len(words) and words[position] == word:
            position += 1
            return True
        return False

    def either() -> bool:
        result = both()
        while taken("or"):
            result = both() or result
        return result

    def both() -> bool:
        result = term()
        while taken("and"):
            result = term() and result
        return result

    def term() -> bool:
        nonlocal position
        if taken("not"):
            return not term()
        if taken("("):
            result = either()
            assert taken(")"), query
            return result
        left, operator, right = words[position:position + 3]
        position += 3
        text = re.sub(r"\\(.)", r"\1", right[1:-1])
        match left, operator:
            case _, "in" if right == "parents":
                return re.sub(r"\\(.)", r"\1", left[1:-1]) == file.parent
            case _, "in":
                return True  # of owners, readers, writers: one account has it all
            case "trashed", "=":
                return file.trashed == (right == "true")
            case "mimeType", "=":
                return file.kind == text
            case "mimeType", "!=":
                return file.kind != text
            case "mimeType", "contains":
                return text in file.kind
            case "name", "=":
                return file.name == text
        raise AssertionError(f"a query that this Drive does not know: {query}")

    if not words:
        return True
    result = either()
    assert position == len(words), query
    return result
