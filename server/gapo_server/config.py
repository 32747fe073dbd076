"""Settings of `gapo serve`; each is also an environment variable GAPO_…"""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from gapo_server.engine.base import Device, EngineOptions

EMBEDDED = Path(__file__).parent / "bundles"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="GAPO_", frozen=True)

    store: Path = Field(default=EMBEDDED, description="Folder of <model>/<version> bundles.")
    bundle: Path | None = Field(default=None, description="Serve this one bundle instead of a store.")
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    http_port: int = Field(default=8080, ge=0, le=65535)
    grpc_port: int = Field(default=8081, ge=0, le=65535)
    max_batch_tokens: int = Field(default=16384, gt=0, description="Token budget of one batch.")
    max_queue_tokens: int = Field(default=262144, gt=0, description="Tokens that may wait; more is refused.")
    max_pairs: int = Field(default=1024, gt=0, description="Pairs of one request.")
    max_body_bytes: int = Field(default=8 << 20, gt=0, description="Bytes of one request.")

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

    @property
    def engine(self) -> EngineOptions:
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
