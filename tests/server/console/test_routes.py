"""GET / and /docs over real HTTP: what browsers are told, the switch, the key."""

import re

import httpx
import pytest
from gapo_server.console import routes

from tests.server.running import running

ASSET = re.compile(r'(?:href|src)="((?:console|docs)/[^"]+)"')
MEDIA = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


def directives(reply: httpx.Response) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in reply.headers["content-security-policy"].split(";"))
    return {name: sources for name, _, sources in parts}


def paths(server, page: str) -> list[str]:
    """The page and what it loads, module by module."""
    found = [page]
    for path in found:
        text = server.get(path).text
        loaded = ["/" + asset for asset in ASSET.findall(text)] if path == page else []
        if path.startswith("/console/") and path.endswith(".js"):
            loaded = ["/console/" + name for name in re.findall(r'from "\./([^"]+)"', text)]
        found += [one for one in dict.fromkeys(loaded) if one not in found]
    return found


def test_the_page_loads_every_part_and_no_other(server) -> None:
    assert sorted(paths(server, "/")) == ["/", *sorted(f"/console/{name}" for name in routes.PARTS)]


@pytest.mark.parametrize("page", ["/", "/docs"])
def test_every_file_has_its_media_type_a_policy_and_is_asked_for_anew(server, page) -> None:
    for path in paths(server, page):
        reply = server.get(path)
        assert reply.status_code == 200, path
        kind = MEDIA[path.rpartition(".")[2]] if "." in path else "text/html"
        assert reply.headers["content-type"].partition(";")[0] == kind
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["cache-control"] == "no-cache"
        told = directives(reply)
        assert (told["default-src"], told["script-src"], told["connect-src"]) == ("'none'", "'self'", "'self'")
        assert (told["base-uri"], told["form-action"], told["frame-ancestors"]) == ("'none'",) * 3
        if page == "/":
            assert (told["style-src"], told["require-trusted-types-for"]) == ("'self'", "'script'")


def test_a_file_that_is_known_comes_once(server) -> None:
    etag = server.get("/").headers["etag"]
    for sent in (etag, f"W/{etag}", f'"old", {etag}'):
        again = server.get("/", headers={"if-none-match": sent})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert server.get("/", headers={"if-none-match": '"old"'}).status_code == 200
    assert server.get("/console/main.js").headers["etag"] != etag


def test_the_page_is_small_and_names_no_other_server(server) -> None:
    loaded = {path: server.get(path) for path in paths(server, "/")}
    assert sum(len(reply.content) for reply in loaded.values()) < 60_000
    for path, reply in loaded.items():
        assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", reply.text), path
        assert "innerHTML" not in reply.text


@pytest.mark.parametrize("path", ["/console/absent.js", "/console/", "/console", "/index.html", "/console/../main.js"])
def test_what_is_no_part_of_it_is_not_found(server, path) -> None:
    assert server.get(path).json()["error"]["reason"] == "not_found"


def test_the_page_takes_no_post(server) -> None:
    reply = server.post("/")
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD")


def test_it_is_no_part_of_the_described_interface(server) -> None:
    described = server.get("/openapi.json").json()["paths"]
    assert not [path for path in described if path == "/" or path.startswith(("/console", "/docs"))]


@pytest.mark.parametrize(("options", "env"), [(["--no-console"], {}), ([], {"GAPO_CONSOLE": "0"})])
def test_it_can_be_switched_off(options, env) -> None:
    with running(*options, env_extra=env) as server:
        assert all(server.get(path).status_code == 404 for path in ("/", "/console/main.js"))
        assert server.get("/docs").status_code == 200


def test_a_server_with_a_key_gives_the_page_to_everybody_and_no_answer(keyed) -> None:
    for page in ("/", "/docs"):
        assert all(keyed.get(path).status_code == 200 for path in paths(keyed, page))
    assert keyed.get("/v1/models").status_code == 401
    for path in ("/console/../v1/models", "/console/%2e%2e/v1/models", "//v1/models"):
        assert keyed.get(path).status_code in (401, 404)
