"""The Open Inference Protocol (KServe v2) over REST, with the binary tensors and the model configuration of Triton."""

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, FailFast, Field, StrictBool, StrictInt, StrictStr, ValidationError

from gapo_server.errors import InvalidInput
from gapo_server.inference.service import Asked, InferenceService, Inferred, Tensor
from gapo_server.inference.tensors import pack_floats
from gapo_server.rest import openapi
from gapo_server.rest.dialects.vllm_schemas import PROMPT, RESPONSE
from gapo_server.rest.middleware import HEADER_LENGTH, exchange_of
from gapo_server.rest.schemas import InferenceErrorBody

EXAMPLE = {
    "id": "1",
    "inputs": [
        {"name": "prompt", "shape": [1, 1], "datatype": "BYTES", "data": [PROMPT]},
        {"name": "response", "shape": [1, 1], "datatype": "BYTES", "data": [RESPONSE]},
    ],
}
_TENSOR = {"name": {"type": "string"}, "shape": {"type": "array", "items": {"type": "integer"}}}
_TENSOR |= {"datatype": {"type": "string"}, "parameters": {"type": "object"}, "data": {"type": "array"}}
_BODY = {
    "type": "object",
    "required": ["inputs"],
    "properties": {
        "id": {"type": "string"},
        "parameters": {"type": "object", "description": "`truncation`: keep_both_ends, …; `binary_data_output`."},
        "inputs": {"type": "array", "items": {"type": "object", "properties": _TENSOR}},
        "outputs": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
    },
    "examples": [EXAMPLE],
}
"""Of the request; it is read here and not by FastAPI, for binary tensors stand behind the JSON."""

Parameters = dict[str, Any] | None
Size = Annotated[StrictInt, Field(ge=-(1 << 63), lt=1 << 63)]


class _Input(BaseModel):
    name: StrictStr
    datatype: StrictStr
    shape: Annotated[list[Size], FailFast()] = Field(max_length=8)
    parameters: Parameters = None
    data: list[Any] | None = None


class _Output(BaseModel):
    name: StrictStr
    parameters: Parameters = None


class _Infer(BaseModel):
    """Further keys are accepted and not looked at."""

    id: StrictStr | None = None
    parameters: Parameters = None
    inputs: Annotated[list[_Input], FailFast()] = Field(max_length=16)
    outputs: Annotated[list[_Output] | None, FailFast()] = Field(default=None, max_length=16)


class LiveBody(BaseModel):
    live: StrictBool = Field(examples=[True])


class ReadyBody(BaseModel):
    ready: StrictBool = Field(examples=[True])


class ModelReadyBody(ReadyBody):
    name: str = Field(examples=["gapo-mini"])


class ServerBody(BaseModel):
    name: str = Field(examples=["gapo"])
    version: str = Field(examples=["0.1.0"])
    extensions: list[str] = Field(examples=[["binary_tensor_data"]])


class TensorBody(BaseModel):
    name: str = Field(examples=["prompt"])
    datatype: str = Field(examples=["BYTES"])
    shape: list[int] = Field(examples=[[-1, 1]])


class MetadataBody(BaseModel):
    name: str = Field(examples=["gapo-mini"])
    versions: list[str] = Field(examples=[["3"]])
    platform: str = Field(examples=["gapo"])
    inputs: list[TensorBody]
    outputs: list[TensorBody]


class InferredTensorBody(TensorBody):
    name: str = Field(examples=["rewards"])
    datatype: str = Field(examples=["FP32"])
    shape: list[int] = Field(examples=[[1, 1]])
    data: list[float] = Field(examples=[[4.2]], description="Absent where it follows in binary.")


class InferredBody(BaseModel):
    model_name: str
    model_version: str
    id: str = Field(description="The request's; absent where it had none.")
    parameters: dict[str, Any] = Field(description="`truncated_tokens`; absent where nothing was cut.")
    outputs: list[InferredTensorBody]


def read(body: bytes, header: str | None) -> tuple[_Infer, list[Tensor]]:
    """The request and its tensors, whose bytes follow the JSON where `header` says how long that is.

    Raises `InvalidInput`, or FastAPI's error of a body that is not as it must be.
    """
    length = len(body)
    if header is not None:
        length = int(header) if header.isascii() and header.isdecimal() and len(header) < 12 else -1
        if not 0 < length <= len(body):
            raise InvalidInput(f"{header[:40]!r} is no length of a JSON in a body of {len(body)} bytes", HEADER_LENGTH)
    try:
        given = json.loads(body[:length])
    except json.JSONDecodeError as error:
        raise InvalidInput(f"is not JSON at character {error.pos}: {error.msg}", "body") from None
    except (ValueError, RecursionError):  # not UTF-8, or a number or nesting that Python refuses
        raise InvalidInput("is no JSON in UTF-8, or is too deep or has too long a number", "body") from None
    try:
        asked = _Infer.model_validate(given)
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]) from None
    tensors, place = [], length
    for number, tensor in enumerate(asked.inputs):
        name = f"inputs[{number}]"
        size = (tensor.parameters or {}).get("binary_data_size")
        if "shared_memory_region" in (tensor.parameters or {}):
            raise InvalidInput("is not shared with this server; send the tensor itself", f"{name}.parameters")
        if size is None:
            if tensor.data is None:
                raise InvalidInput("is missing; send it, or `binary_data_size` and the bytes", f"{name}.data")
            tensors.append(Tensor(name, tensor.name, tensor.datatype, tensor.shape, _flat(tensor.data)))
            continue
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= len(body) - place:
            raise InvalidInput(
                f"{str(size)[:40]} is more than the {len(body) - place} bytes that follow, or no number",
                f"{name}.parameters.binary_data_size",
            )
        tensors.append(Tensor(name, tensor.name, tensor.datatype, tensor.shape, body[place : place + size]))
        place += size
    if place != len(body):
        raise InvalidInput(f"holds {len(body) - place} bytes that belong to no input", "body")
    return asked, tensors


def _flat(data: Sequence[Any]) -> list[Any]:
    """[n, 1] may be nested, or not."""
    return [one[0] if isinstance(one, list) and len(one) == 1 else one for one in data]


def answer(inferred: Inferred, asked: _Infer) -> Response:
    """JSON, and behind it the outputs that are wanted in binary."""
    wanted = {output.name: output.parameters or {} for output in asked.outputs or ()}
    everywhere = bool((asked.parameters or {}).get("binary_data_output"))
    outputs, behind = [], b""
    for name, numbers in inferred.outputs.items():
        tensor: dict[str, Any] = {"name": name, "datatype": "FP32", "shape": [len(numbers), 1]}
        if wanted.get(name, {}).get("binary_data", everywhere):
            packed = pack_floats(numbers)
            tensor["parameters"] = {"binary_data_size": len(packed)}
            behind += packed
        else:
            tensor["data"] = numbers
        outputs.append(tensor)
    told: dict[str, Any] = {"model_name": inferred.model, "model_version": inferred.version, "outputs": outputs}
    if asked.id is not None:
        told["id"] = asked.id
    headers = {}
    if inferred.truncated_tokens:
        told["parameters"] = {"truncated_tokens": inferred.truncated_tokens}
        headers["x-gapo-truncated"] = str(inferred.truncated_tokens)
    if not behind:
        return JSONResponse(told, headers=headers)
    head = json.dumps(told, ensure_ascii=False).encode()
    headers[HEADER_LENGTH] = str(len(head))
    return Response(head + behind, media_type="application/octet-stream", headers=headers)


def router(inference: InferenceService) -> APIRouter:
    settings = inference.service.settings
    guard = openapi.guard(settings)
    routes = APIRouter()
    reading: Any = openapi.errors(settings, openapi.FINDING, InferenceErrorBody)
    scoring: Any = openapi.errors(settings, openapi.SCORING, InferenceErrorBody)
    health = inference.health

    @routes.get("/v2", dependencies=guard, responses=openapi.errors(settings, openapi.READING, InferenceErrorBody))
    async def server() -> ServerBody:
        """The server's name, version and extensions."""
        return ServerBody(**inference.server())

    @routes.get("/v2/health/live", response_model=LiveBody, responses={503: {"model": LiveBody}})
    async def live() -> JSONResponse:
        """200 while the server can score; 503 when only a restart helps."""
        return JSONResponse({"live": not health.problem}, 503 if health.problem else 200)

    @routes.get("/v2/health/ready", response_model=ReadyBody, responses={503: {"model": ReadyBody}})
    async def ready() -> JSONResponse:
        """200 while requests are welcome."""
        return JSONResponse({"ready": health.ready}, 200 if health.ready else 503)

    for path in ("/v2/models/{model_name}", "/v2/models/{model_name}/versions/{model_version}"):

        @routes.get(path + "/ready", response_model=ModelReadyBody, dependencies=guard, responses=reading)
        async def model_ready(model_name: str, model_version: str = "") -> JSONResponse:
            """200 while requests to this model are welcome."""
            inference.served(model_name, model_version)
            return JSONResponse({"name": model_name, "ready": health.ready}, 200 if health.ready else 503)

        @routes.get(path + "/config", dependencies=guard, responses=reading)
        async def config(model_name: str, model_version: str = "") -> dict[str, Any]:
            """Triton's configuration of the model."""
            return inference.config(model_name, model_version)

        @routes.get(path, dependencies=guard, responses=reading)
        async def metadata(model_name: str, model_version: str = "") -> MetadataBody:
            """The model's inputs and outputs."""
            return MetadataBody(**inference.metadata(model_name, model_version))

        @routes.post(
            path + "/infer",
            response_model=InferredBody,
            dependencies=guard,
            responses=scoring,
            openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": _BODY}}}},
        )
        async def infer(request: Request, model_name: str, model_version: str = "") -> Response:
            """Score `prompt` and `response`, or `sentences` (conversations in a chat template), BYTES [n] or [n, 1].

            Outputs are `rewards`, raw logits, and where asked for `probability`, FP32 [n, 1].
            """
            inference.served(model_name, model_version)
            header = request.headers.get(HEADER_LENGTH)
            asked, tensors = await asyncio.to_thread(read, await request.body(), header)
            exchange_of(request).pairs = inference.number(tensors)
            names = [output.name for output in asked.outputs or ()]
            truncation = (asked.parameters or {}).get("truncation")
            return answer(await inference.infer(Asked(model_name, model_version, tensors, names, truncation)), asked)

    return routes
