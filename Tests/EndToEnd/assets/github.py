"""GitHub's REST API for repositories: the default branch, trees and blobs."""

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from server import Answer, Request, Server, as_json


@dataclass
class Repository:
    """Branches with their files; `private` ones are there for good tokens alone."""

    branches: dict[str, dict[str, bytes]] = field(default_factory=dict)
    default: str = "main"
    private: bool = False
    truncated: bool = False


def sha_of(content: bytes) -> str:
    """As git names a blob."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class GitHub(Server):
    def __init__(self, takes: Callable[[str], bool], host: str = "127.0.0.1") -> None:
        self.takes = takes
        self.repositories: dict[str, Repository] = {}
        super().__init__(host)

    def repository(self, files: dict[str, str | bytes], branch: str = "main", **members) -> str:
        """`owner/name` of a new one."""
        name = f"octo-org/handbook.{secrets.token_hex(4)}"
        self.repositories[name] = Repository(default=branch, **members)
        self.commit(name, files, branch)
        return name

    def commit(self, name: str, files: dict[str, str | bytes], branch: str = "main") -> None:
        """All the files that the branch has from now on."""
        self.repositories[name].branches[branch] = {
            path: content.encode() if isinstance(content, str) else content for path, content in files.items()}

    def reads(self, content: str) -> list[Request]:
        return self.calls_to(f"/git/blobs/{sha_of(content.encode())}")

    def answer(self, request: Request) -> Answer:
        if "user-agent" not in request.headers:
            return as_json({"message": "Request forbidden by administrative rules."}, 403)
        if request.bearer and not self.takes(request.bearer):
            return as_json({"message": "Bad credentials"}, 401)
        found = re.fullmatch(r"/repos/([^/]+/[^/]+)(?:/git/(trees|blobs)/(.+))?", request.path)
        repository = self.repositories.get(found[1]) if found else None
        if not repository or (repository.private and not request.bearer):
            return as_json({"message": "Not Found"}, 404)
        match found[2]:
            case "trees":
                return self._tree(found[1], repository, found[3], request.query.get("recursive"))
            case "blobs":
                return self._blob(repository, found[3], request.headers.get("accept", ""))
        return as_json({
            "full_name": found[1], "default_branch": repository.default, "private": repository.private,
            "html_url": f"https://github.com/{found[1]}",
        })

    def _tree(self, name: str, repository: Repository, ref: str, recursive: str | None) -> Answer:
        files = repository.branches.get(ref)
        if files is None:
            return as_json({"message": "Not Found"}, 404)
        folders = {path[:end.start()] for path in files for end in re.finditer("/", path)}
        entries = [{"path": path, "mode": "040000", "type": "tree", "sha": secrets.token_hex(20)} for path in sorted(folders)]
        entries += [
            {"path": path, "mode": "100644", "type": "blob", "sha": sha_of(content), "size": len(content)}
            for path, content in files.items()]
        entries += [{"path": "vendor/module.md", "mode": "160000", "type": "commit", "sha": secrets.token_hex(20)}]
        if not recursive:
            entries = [entry for entry in entries if "/" not in entry["path"]]
        return as_json({"sha": secrets.token_hex(20), "tree": entries, "truncated": repository.truncated})

    def _blob(self, repository: Repository, sha: str, accept: str) -> Answer:
        for files in repository.branches.values():
            for content in files.values():
                if sha_of(content) == sha:
                    if "raw" in accept:
                        return Answer(200, content, "application/vnd.github.raw+json; charset=utf-8")
                    # In lines of 60, as the real one has it.
                    text = base64.encodebytes(content).decode()
                    return as_json({"sha": sha, "size": len(content), "encoding": "base64", "content": text})
        return as_json({"message": "Not Found"}, 404)


def rate_limit(seconds: int) -> Answer:
    """The primary limit: 403, and the time at which it ends."""
    return as_json(
        {"message": "API rate limit exceeded"}, 403, x_ratelimit_limit="60", x_ratelimit_remaining="0",
        x_ratelimit_reset=str(int(time.time()) + seconds))
