"""GET / and the files that its page loads."""

from fastapi import APIRouter

from gapo_server.rest import browser_files

PARTS = (
    "clipboard.js",
    "code.js",
    "constraints.js",
    "dom.js",
    "form.js",
    "icon.svg",
    "link.js",
    "main.js",
    "results.css",
    "results.js",
    "server.js",
    "style.css",
)


def router() -> APIRouter:
    by_path = {"/": browser_files.read("gapo_server.console", "static/index.html")}
    by_path |= {f"/console/{name}": browser_files.read("gapo_server.console", f"static/{name}") for name in PARTS}
    return browser_files.router(by_path)
