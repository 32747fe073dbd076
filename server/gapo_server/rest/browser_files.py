"""Files for browsers: read once, told apart by their hash, and never taken from a cache unasked."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePosixPath

from fastapi import APIRouter, Request, Response

TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
NO_MARKUP_FROM_TEXT = "; require-trusted-types-for 'script'; trusted-types 'none'"
"""With this, browsers refuse to make elements of texts, as innerHTML does."""


@dataclass(frozen=True)
class BrowserFile:
    content: bytes
    media_type: str
    etag: str
    policy: str

    def answer(self, request: Request) -> Response:
        headers = {
            "etag": self.etag,
            "cache-control": "no-cache",  # ask each time: pages and scripts of two versions never meet
            "content-security-policy": self.policy,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
        }
        known = request.headers.get("if-none-match", "").split(",")
        if self.etag in (tag.strip().removeprefix("W/") for tag in known):  # a proxy that compresses makes it weak
            return Response(status_code=304, headers=headers)
        return Response(self.content, media_type=self.media_type, headers=headers)


def read(package: str, name: str, policy: str = STRICT + NO_MARKUP_FROM_TEXT) -> BrowserFile:
    """The file of this name, with folders, within a package."""
    content = files(package).joinpath(*PurePosixPath(name).parts).read_bytes()
    media_type = TYPES[PurePosixPath(name).suffix]
    return BrowserFile(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"', policy)


def router(by_path: Mapping[str, BrowserFile]) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    for path, file in by_path.items():
        routes.add_api_route(path, file.answer, response_model=None)
    return routes
