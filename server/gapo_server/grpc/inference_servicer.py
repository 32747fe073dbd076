"""inference.GRPCInferenceService: the Open Inference Protocol, with Triton's ModelConfig."""

from typing import Any

import grpc

from gapo_server.access import Exchange
from gapo_server.errors import InvalidInput, RequestError
from gapo_server.grpc.serving import Context, Serving, parsed, seconds_left
from gapo_server.inference import open_inference_pb2 as wire
from gapo_server.inference.service import Asked, InferenceService, Inferred, Tensor
from gapo_server.inference.tensors import pack_floats

SERVICE = wire.DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name


class InferenceServicer(Serving):
    def __init__(self, inference: InferenceService) -> None:
        super().__init__(inference.service.admission, inference.service.metrics)
        self._inference = inference

    def handler(self) -> "grpc.GenericRpcHandler[bytes, Any]":
        """The methods of inference.GRPCInferenceService, to be added to a server."""
        methods = {
            "ServerLive": self._method("ServerLive", self._live, keyed=False),
            "ServerReady": self._method("ServerReady", self._ready, keyed=False),
            "ModelReady": self._method("ModelReady", self._model_ready),
            "ServerMetadata": self._method("ServerMetadata", self._metadata),
            "ModelMetadata": self._method("ModelMetadata", self._model_metadata),
            "ModelConfig": self._method("ModelConfig", self._config),
            "ModelInfer": self._method("ModelInfer", self._infer),
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    def _method(self, name: str, answer: Any, keyed: bool = True) -> Any:
        async def called(request: bytes, context: Context) -> Any:
            return await self._serve(name, context, lambda exchange: answer(request, context, exchange), keyed)

        return grpc.unary_unary_rpc_method_handler(
            called, response_serializer=lambda message: message.SerializeToString()
        )

    async def _live(self, raw: bytes, context: Context, exchange: Exchange) -> Any:
        return wire.ServerLiveResponse(live=not self._inference.health.problem)

    async def _ready(self, raw: bytes, context: Context, exchange: Exchange) -> Any:
        return wire.ServerReadyResponse(ready=self._inference.health.ready)

    async def _model_ready(self, raw: bytes, context: Context, exchange: Exchange) -> Any:
        request = parsed(wire.ModelReadyRequest, raw)
        try:
            self._inference.served(request.name, request.version)
        except RequestError:  # to ask is no mistake
            return wire.ModelReadyResponse(ready=False)
        return wire.ModelReadyResponse(ready=self._inference.health.ready)

    async def _metadata(self, raw: bytes, context: Context, exchange: Exchange) -> Any:
        return wire.ServerMetadataResponse(**self._inference.server())

    async def _model_metadata(self, raw: bytes, context: Context, exchange: Exchange) -> Any:
        request = parsed(wire.ModelMetadataRequest, raw)
        return wire.ModelMetadataResponse(**self._inference.metadata(request.name, request.version))

    async def _config(self, raw: bytes, context: Context, exchange: Exchange) -> Any:
        request = parsed(wire.ModelConfigRequest, raw)
        config: Any = self._inference.config(request.name, request.version)
        return wire.ModelConfigResponse(config=wire.ModelConfig(**config))

    async def _infer(self, raw: bytes, context: Context, exchange: Exchange) -> Any:
        with self._admission.reservation() as held:
            held.add(len(raw))
            request = parsed(wire.ModelInferRequest, raw)
            asked = _asked(request)
            exchange.pairs = self._inference.number(asked.inputs)
            inferred = await self._inference.infer(asked, seconds_left(context))
        if inferred.truncated_tokens:
            context.set_trailing_metadata((("x-gapo-truncated", str(inferred.truncated_tokens)),))
        return _answer(inferred, request.id, bool(request.raw_input_contents))


def _asked(request: Any) -> Asked:
    """Raises `InvalidInput`."""
    packed, given = request.raw_input_contents, request.inputs
    if packed and len(packed) != len(given):
        raise InvalidInput(f"holds {len(packed)} entries for {len(given)} inputs", "raw_input_contents")
    tensors = []
    for number, tensor in enumerate(given):
        place = f"inputs[{number}]"
        if "shared_memory_region" in tensor.parameters:
            raise InvalidInput("is not shared with this server; send the tensor itself", f"{place}.parameters")
        if packed and tensor.HasField("contents"):
            raise InvalidInput("stands beside raw_input_contents; send one of the two", f"{place}.contents")
        data = packed[number] if packed else tensor.contents.bytes_contents
        tensors.append(Tensor(place, tensor.name, tensor.datatype, tensor.shape, data))
    truncation = request.parameters["truncation"].string_param if "truncation" in request.parameters else None
    return Asked(
        request.model_name, request.model_version, tensors, [output.name for output in request.outputs], truncation
    )


def _answer(inferred: Inferred, request_id: str, packed: bool) -> Any:
    """As the request came: in raw bytes, or in typed fields."""
    answer: Any = wire.ModelInferResponse(model_name=inferred.model, model_version=inferred.version, id=request_id)
    if inferred.truncated_tokens:
        answer.parameters["truncated_tokens"].int64_param = inferred.truncated_tokens
    for name, numbers in inferred.outputs.items():
        tensor = answer.outputs.add(name=name, datatype="FP32", shape=[len(numbers), 1])
        if packed:
            answer.raw_output_contents.append(pack_floats(numbers))
        else:
            tensor.contents.fp32_contents.extend(numbers)
    return answer
