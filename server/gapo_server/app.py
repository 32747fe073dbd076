"""One process: REST and gRPC over one scoring service in one event loop."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import uvicorn

from gapo_server import logs
from gapo_server.checking.service import CheckingService
from gapo_server.config import Settings
from gapo_server.engine.cpu import pin_to_node
from gapo_server.gate.policy import read_folder
from gapo_server.gate.service import GateService
from gapo_server.grpc.server import RpcServer
from gapo_server.health import Health
from gapo_server.rest import routes
from gapo_server.rest.connections import TimedProtocol
from gapo_server.scoring.encoding import bound_threads
from gapo_server.scoring.service import ScoringService
from gapo_server.store import ServedModel, load_models

log = logging.getLogger(__name__)

LAST_ANSWERS = 0.5
"""Seconds in which, once nothing runs, answers reach their clients; a body that comes no faster is given up."""


class _Web(uvicorn.Server):
    """Leaves signals to `serve`: uvicorn raises them again at its end, before gRPC has stopped."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _bind(host: str, port: int, what: str) -> socket.socket:
    """A bound socket, IPv4 or IPv6 as the host asks. Raises `OSError` that names the port and the remedy."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if host == "::":
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    try:
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise OSError(
            f"{what} port {port} on {host}: {error.strerror}; choose another --{what.lower()}-port"
        ) from error
    return listener


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def serve(settings: Settings, models: Sequence[ServedModel] | None = None) -> bool:
    """Serves until SIGINT or SIGTERM, then drains; a second signal stops at once.

    `models` stand in for those of the settings. Returns whether everything ended in time. Raises `BundleError`,
    or `OSError` when a port is taken.
    """
    with _bind(settings.host, settings.http_port, "HTTP") as listener:
        # gRPC binds by itself, and reports a taken port as a log of its own: look first.
        _bind(settings.host, settings.grpc_port, "gRPC").close()
        policies = read_folder(settings.policies)  # first: it takes no time to find a mistake here
        service = ScoringService(models or load_models(settings), settings)
        health = Health(service)
        checking = CheckingService(service)
        gate = GateService(service, checking, policies)
        if settings.policies:  # its first request shall not wait for what every one needs
            checking.warm()
        rpc = RpcServer(service, checking, gate, health)
        try:
            grpc_port = await rpc.start(_address(settings.host, settings.grpc_port))
        except RuntimeError as error:
            raise OSError(f"gRPC port {settings.grpc_port}: {error}; choose another --grpc-port") from error
        TimedProtocol.head_timeout = settings.body_timeout
        web = _Web(
            uvicorn.Config(
                routes.build(service, checking, gate, health),
                http=TimedProtocol,
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=LAST_ANSWERS,  # type: ignore[arg-type]  # fractions work
            )
        )
        watch = asyncio.create_task(health.watch(rpc.tell))
        drains = _handle_signals(web, rpc, service)
        print(
            _banner(service, _address(settings.host, listener.getsockname()[1]), _address(settings.host, grpc_port)),
            flush=True,
        )
        try:
            await web.serve(sockets=[listener])
        finally:
            service.admission.leaving = service.admission.stopping = True
            for task in (*drains, watch):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            checking.close()
            idle = await service.close()  # tells those who still wait, so before gRPC ends
            await rpc.stop(LAST_ANSWERS)
        return idle


def _handle_signals(web: _Web, rpc: RpcServer, service: ScoringService) -> "list[asyncio.Task[None]]":
    """The first signal drains, a second ends that; what is returned holds the draining, once it has begun."""
    drains: list[asyncio.Task[None]] = []

    def stop(number: int) -> None:
        log.info("%s: %s", signal.Signals(number).name, "stopping at once" if drains else "draining")
        service.admission.leaving = True
        if drains:
            drains[0].cancel()
            service.admission.stopping = True
            service.underway.give_up()
            web.should_exit = web.force_exit = True
        else:
            drains.append(asyncio.create_task(_drain(web, rpc, service)))

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    return drains


async def _drain(web: _Web, rpc: RpcServer, service: ScoringService) -> None:
    """Ends the server when what runs has ended. Until then its ports stay open: probes and, after the delay, new
    requests are told that it stops, where a closed port would tell balancers nothing and lose what they still send."""
    await rpc.tell(False)
    await asyncio.sleep(service.settings.drain_delay)
    service.admission.stopping = True
    await service.underway.drain(service.settings.drain_timeout)
    web.should_exit = True


def _banner(service: ScoringService, rest: str, grpc: str) -> str:
    names = ", ".join(f"{m.manifest.name} {m.manifest.version}" for m in service.models.values())
    key = " -H 'authorization: Bearer KEY'" if service.settings.api_key else ""
    page = f"open http://{rest}/ or " if service.settings.console else ""
    return (
        f"serving {names}: REST {rest}, gRPC {grpc}; {page}try "
        f"curl -s http://{rest}/v1/score -H 'content-type: application/json'{key} -d "
        """'{"pairs":[{"prompt":"Describe a laptop. memory: 8 gb","response":"a laptop with 8 gb of memory"}]}'"""
    )


def run(settings: Settings) -> None:
    logs.configure(settings.log_level, settings.log_format)
    if settings.numa_node is not None:
        pin_to_node(settings.numa_node)
    bound_threads(settings.tokenizing)
    if not asyncio.run(serve(settings)):
        # A thread that is still inside the engine would hold the process for ever.
        log.error("the engine did not answer in time; leaving")
        os._exit(1)
