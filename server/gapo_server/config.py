"""Settings of `gapo serve`; each is also a flag and an environment variable GAPO_…"""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from gapo_server import EMBEDDED
from gapo_server.engine.base import Device, EngineOptions
from gapo_server.engine.cpu import usable_cores


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="GAPO_", frozen=True)

    store: Path = Field(
        default=EMBEDDED, description="Folder of <model>/<version> bundles; default: the embedded model."
    )
    bundle: Path | None = Field(default=None, description="Serve this one bundle instead of a store.")
    default_model: str | None = Field(
        default=None, description="Model of requests that name none; default: the store's first by name."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 or :: for all.")
    http_port: int = Field(default=8080, ge=0, le=65535, description="REST port; 0 takes a free one.")
    grpc_port: int = Field(default=8081, ge=0, le=65535, description="gRPC port; 0 takes a free one.")
    api_key: SecretStr | None = Field(
        default=None,
        description="Ask every request for this key: `Authorization: Bearer KEY`, or /get_reward/KEY and /rm/KEY.",
    )
    console: bool = Field(default=True, description="Serve the page for people at GET /.")

    prompt_budget: int | None = Field(
        default=None, gt=0, description="Most tokens of a prompt; a request may say otherwise."
    )
    response_budget: int | None = Field(
        default=None, gt=0, description="Most tokens of a response; a request may say otherwise."
    )
    empty_reward: float = Field(
        default=-10.0,
        allow_inf_nan=False,
        description="What trainers' contracts (/get_reward, /rm, …) give for a completion without visible text.",
    )

    max_pairs: int = Field(default=1024, gt=0, description="Pairs of one request.")
    max_body_bytes: int = Field(default=8 << 20, gt=0, description="Bytes of one request.")
    max_text_bytes: int = Field(default=1 << 20, gt=0, description="Bytes of one prompt or response as UTF-8.")
    max_inflight_bytes: int = Field(
        default=256 << 20, gt=0, description="Bytes of all unanswered requests; more is refused."
    )
    max_queue_tokens: int = Field(
        default=0, ge=0, description="Tokens that may wait, also of one request; more is refused. 0: 128 batches."
    )
    max_batch_tokens: int = Field(
        default=0,
        ge=0,
        description="Tokens of one engine batch; a longer pair runs alone. 0: 2048 on a CPU, 16384 on a GPU.",
    )
    overload_status: Literal[503, 429] = Field(default=503, description="HTTP code when the queue is full.")
    request_timeout: float = Field(default=120.0, gt=0, description="Seconds until a request is given up.")
    body_timeout: float = Field(
        default=30.0, gt=0, description="Seconds in which a request's head and body must arrive."
    )
    engine_timeout: float = Field(default=120.0, gt=0, description="Seconds of one batch after which health turns red.")
    health_interval: float = Field(default=5.0, gt=0, description="Seconds between health probes of an idle engine.")
    drain_delay: float = Field(
        default=0.0,
        ge=0,
        description="Seconds after SIGTERM in which requests are still taken, so that balancers notice.",
    )
    drain_timeout: float = Field(
        default=30.0,
        ge=0,
        description="Seconds that running requests have after that; the batch then running, 2 more.",
    )

    device: Device = Field(default=Device.AUTO, description="Where the model runs; auto takes what the machine has.")
    threads: int = Field(default=0, ge=0, description="Threads of the CPU runtime; 0 takes the usable physical cores.")
    numa_node: int | None = Field(default=None, ge=0, description="Keep the process and its memory on this NUMA node.")
    memory_arena: bool = Field(default=True, description="Keep a batch's memory for the next; idle, it is returned.")
    gpu: int = Field(default=0, ge=0, description="Number of the GPU.")
    gpu_memory_bytes: int = Field(
        default=0, ge=0, description="Most GPU memory of the runtime's arena; 0 sets no limit."
    )
    tensorrt_precision: Literal["graph", "fp16", "bf16"] = Field(
        default="graph", description="Arithmetic that TensorRT may use; graph keeps the bundle's own."
    )
    tensorrt_cache: Path = Field(
        default=EngineOptions.tensorrt_cache, description="Folder of built TensorRT engines; building takes minutes."
    )
    tokenizer_threads: int = Field(
        default=0,
        ge=0,
        description="Threads that tokenize; 0: half of the usable physical cores, at least 2. "
        "RAYON_NUM_THREADS, where it is set, says how many share a request.",
    )
    check_processes: int = Field(
        default=1, ge=1, description="Processes that check constraints; the first check starts them."
    )

    policies: Path | None = Field(
        default=None, description="Folder of NAME.yaml policies of the gate; default.yaml for requests that name none."
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="One line or one JSON object per event, on stderr."
    )

    @field_validator("api_key")
    @classmethod
    def _key_that_requests_can_carry(cls, key: SecretStr | None) -> SecretStr | None:
        """An empty key would open the server to everybody, one with blanks around it would admit nobody."""
        text = "any" if key is None else key.get_secret_value()
        if not text:
            raise PydanticCustomError("api_key", "api_key is empty; give a key, or unset GAPO_API_KEY to ask for none")
        if text != text.strip() or not text.isprintable():
            raise PydanticCustomError(
                "api_key", "api_key has blanks around it, or control characters; take them out of GAPO_API_KEY"
            )
        return key

    @property
    def tokenizing(self) -> int:
        """Threads that tokenize."""
        return self.tokenizer_threads or max(2, usable_cores() // 2)

    @property
    def engine(self) -> EngineOptions:
        """The part of the settings that an engine reads."""
        return EngineOptions(
            device=self.device,
            threads=self.threads,
            max_batch_tokens=self.max_batch_tokens,
            memory_arena=self.memory_arena,
            gpu=self.gpu,
            gpu_memory_bytes=self.gpu_memory_bytes,
            tensorrt_precision=self.tensorrt_precision,
            tensorrt_cache=self.tensorrt_cache,
        )


def from_environment(**given: Any) -> Settings:
    """What is not given is read from the variables. Raises `ValueError`, one line that names the variable."""
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"GAPO_{str(first['loc'][0]).upper()}: {first['msg']}") from None
