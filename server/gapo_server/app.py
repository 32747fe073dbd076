"""One process: REST and gRPC over one scoring service in one event loop."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from gapo_server.config import Settings
from gapo_server.engine.cpu import pin_to_node
from gapo_server.grpc import servicer
from gapo_server.rest import routes
from gapo_server.scoring.service import ScoringService, load_models


class _Web(uvicorn.Server):
    """Leaves signals to `serve`: uvicorn raises them again at its end, before gRPC has stopped."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(settings: Settings) -> None:
    """Serves until SIGINT or SIGTERM. Raises `BundleError`, or `OSError` when a port is taken."""
    models = load_models(settings)
    service = ScoringService(models, settings)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.http_port))
        http_port = listener.getsockname()[1]
        try:
            rpc, grpc_port = await servicer.start(service, f"{settings.host}:{settings.grpc_port}")
        except RuntimeError as error:
            raise OSError(f"gRPC port {settings.grpc_port}: {error}") from error
        config = uvicorn.Config(routes.build(service), log_level="warning", access_log=False)
        web = _Web(config)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, web.handle_exit, number, None)
        names = ", ".join(f"{m.manifest.name} {m.manifest.version}" for m in models)
        print(
            f"serving {names}: REST {settings.host}:{http_port}, gRPC {settings.host}:{grpc_port}; try "
            f"curl -s http://{settings.host}:{http_port}/v1/score -H 'content-type: application/json' -d "
            """'{"pairs":[{"prompt":"Describe a laptop. memory: 8 gb","response":"a laptop with 8 gb of memory"}]}'""",
            flush=True,
        )
        try:
            await web.serve(sockets=[listener])
        finally:
            await rpc.stop(grace=5)
            await service.close()


def run(settings: Settings) -> None:
    if settings.numa_node is not None:
        pin_to_node(settings.numa_node)
    asyncio.run(serve(settings))
