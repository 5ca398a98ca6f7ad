"""Multipart bodies by hand (RFC 7578): each byte is the test's."""

import json
import secrets
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    disposition: str
    body: bytes
    content_type: str | None = None

    def encoded(self) -> bytes:
        typed = f"Content-Type: {self.content_type}\r\n" if self.content_type else ""
        return f"Content-Disposition: {self.disposition}\r\n{typed}\r\n".encode() + self.body


def file(content: str | bytes, name: str | None = "note.txt", part: str = "File", content_type: str | None = None) -> Part:
    named = "" if name is None else f'; filename="{name}"'
    return Part(f'form-data; name="{part}"{named}', content.encode() if isinstance(content, str) else content, content_type)


def payload(value: object, part: str = "Payload", content_type: str | None = "application/json") -> Part:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Part(f'form-data; name="{part}"', text, content_type)


def form(*parts: Part, boundary: str | None = None, preamble: bytes = b"", epilogue: bytes = b"") -> dict:
    """Content and headers for a client."""
    boundary = boundary or f"b{secrets.token_hex(8)}"
    body = preamble + b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), part.encoded()) for part in parts)
    quoted = f'"{boundary}"' if " " in boundary or "=" in boundary else boundary
    return {
        "content": body + b"--%s--\r\n" % boundary.encode() + epilogue,
        "headers": {"Content-Type": f"multipart/form-data; boundary={quoted}"},
    }
