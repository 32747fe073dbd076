"""Settings of `gapo serve`; each is also an environment variable GAPO_…"""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

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
    threads: int = Field(default=0, ge=0, description="Threads of the runtime; 0 lets it choose.")
