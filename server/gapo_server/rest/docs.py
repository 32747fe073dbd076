"""GET /docs: Swagger UI from the server itself, so that it works without a network."""

from fastapi import APIRouter

from gapo_server.rest import browser_files

SWAGGER = "fastapi_swagger"
"""The package whose `resources` hold Swagger UI as it is published."""
ITS_OWN_STYLES = browser_files.STRICT.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace(
    "img-src 'self'", "img-src 'self' data:"
)
"""Swagger UI sets style attributes and draws icons from data URLs."""


def router() -> APIRouter:
    def own(name: str) -> browser_files.BrowserFile:
        return browser_files.read("gapo_server.rest", f"static/{name}", ITS_OWN_STYLES)

    def swagger(name: str) -> browser_files.BrowserFile:
        return browser_files.read(SWAGGER, f"resources/{name}", ITS_OWN_STYLES)

    return browser_files.router(
        {
            "/docs": own("docs.html"),
            "/docs/docs.js": own("docs.js"),
            "/docs/icon.svg": browser_files.read("gapo_server.console", "static/icon.svg"),
            "/docs/swagger-ui-bundle.js": swagger("swagger-ui-bundle.js"),
            "/docs/swagger-ui.css": swagger("swagger-ui.css"),
        }
    )
