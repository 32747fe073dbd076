"""The shapes of an error's body: each contract's own clients find in it what they look for.

Every shape tells the field and the remedy; the HTTP status comes from the one table, whatever the contract.
"""

from collections.abc import Callable
from typing import Any

from gapo_server.errors import RequestError

Form = Callable[[RequestError, int], dict[str, Any]]
"""The body of an error that is answered with this HTTP status."""


def gapo(error: RequestError, status: int) -> dict[str, Any]:
    return {"error": {"reason": error.reason, "field": error.field, "message": str(error)}}


def vllm(error: RequestError, status: int) -> dict[str, Any]:
    """Beside ours what OpenAI's clients read; SGLang's error is a part of it."""
    kinds = {401: "AuthenticationError", 404: "NotFoundError", 429: "RateLimitError"}
    kind = kinds.get(status, "BadRequestError" if status < 500 else "InternalServerError")
    told: dict[str, Any] = gapo(error, status)["error"]
    return {"error": {**told, "type": kind, "param": error.field or None, "code": status}}


def tei(error: RequestError, status: int) -> dict[str, Any]:
    """Text Embeddings Inference's, which has one text for all that is to be told."""
    kinds = {"overloaded": "Overloaded", "stopping": "Unhealthy"}
    kind = kinds.get(error.reason, "Backend" if status >= 500 else "Validation")
    return {"error": told(error), "error_type": kind}


def open_inference(error: RequestError, status: int) -> dict[str, Any]:
    return {"error": told(error)}


def told(error: RequestError) -> str:
    """Field and message in one line, as gRPC tells them."""
    return f"{error.field}: {error}" if error.field else str(error)


PATHS: dict[str, Form] = dict.fromkeys(("/classify", "/pooling", "/score", "/rerank", "/v1/rerank", "/v2/rerank"), vllm)
PATHS["/predict"] = tei
"""/rerank is Text Embeddings Inference's as well; its body tells (`shared`)."""


def of_path(path: str) -> Form:
    inference = path == "/v2" or path.startswith(("/v2/models", "/v2/health"))
    return open_inference if inference else PATHS.get(path, gapo)
