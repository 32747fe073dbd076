"""Which device a server runs on, and why; what is asked for and missing is an error, never a fall-back."""

import ctypes
import logging
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import onnxruntime as ort
from gapo_core.bundle import Bundle

from gapo_server.engine.base import Device, DeviceUnavailable, Engine, EngineOptions
from gapo_server.engine.onnxruntime import CUDA, OnnxRuntimeEngine
from gapo_server.engine.tensorrt import TENSORRT

log = logging.getLogger(__name__)

GPU_EXTRA = "in an environment of its own: pip install 'gapo[server-gpu]'"


@dataclass(frozen=True)
class Machine:
    """What a server finds: the providers compiled into ONNX Runtime, GPUs that answer, and packages."""

    providers: tuple[str, ...]
    gpus: int
    openvino: bool
    both_runtimes: bool
    """onnxruntime and onnxruntime-gpu are both installed: they overwrite each other's files."""


@dataclass(frozen=True)
class Choice:
    device: Device
    reason: str


def probe() -> Machine:
    return Machine(
        providers=tuple(ort.get_available_providers()),
        gpus=_gpus(),
        openvino=find_spec("openvino") is not None,
        both_runtimes=_installed("onnxruntime") and _installed("onnxruntime-gpu"),
    )


def choose(asked: Device, machine: Machine) -> Choice:
    """`auto` takes CUDA where a GPU answers, else the CPU; TensorRT and OpenVINO are taken only when asked for,
    as the first builds engines for minutes and the second may compute narrower. Raises `DeviceUnavailable`.
    """
    missing = {device: _missing(device, machine) for device in Device if device is not Device.AUTO}
    if asked is Device.AUTO:
        if not missing[Device.CUDA]:
            return Choice(Device.CUDA, f"auto: {machine.gpus} NVIDIA GPU(s) and a CUDA provider are here")
        return Choice(Device.CPU, f"auto: no CUDA, as {missing[Device.CUDA].partition(';')[0]}")
    if missing[asked]:
        raise DeviceUnavailable(f"device: {asked.value} cannot be had: {missing[asked]}")
    return Choice(asked, "as asked")


def open_engine(bundle: Bundle, pad_id: int, options: EngineOptions, machine: Machine | None = None) -> Engine:
    """Loads the bundle's graph on the chosen device and logs the choice.

    Raises `DeviceUnavailable` when the device is not here or its libraries do not load.
    """
    choice = choose(options.device, machine or probe())
    log.info("device %s (%s)", choice.device.value, choice.reason)
    options = replace(options, device=choice.device)
    if choice.device is Device.OPENVINO:
        from gapo_server.engine.openvino import OpenVinoEngine  # an extra: importable only when chosen

        engine: Engine = OpenVinoEngine(bundle, pad_id, options)
        return engine
    return OnnxRuntimeEngine(bundle, pad_id, options)


def _missing(device: Device, machine: Machine) -> str:
    """Why the device cannot be had, then a semicolon and the remedy; empty if nothing is missing."""
    if device is Device.CPU:
        return ""
    if device is Device.OPENVINO:
        return "" if machine.openvino else "openvino is not installed; pip install 'gapo[openvino]'"
    if machine.both_runtimes:
        return (
            "onnxruntime and onnxruntime-gpu are both installed and overwrite each other; pip uninstall both, "
            "then pip install 'gapo[server-gpu]'"
        )
    provider = CUDA if device is Device.CUDA else TENSORRT
    if provider not in machine.providers:
        return f"this onnxruntime has no {provider}; {GPU_EXTRA}"
    if not machine.gpus:
        return "no NVIDIA GPU answers; install the NVIDIA driver, and give the container its GPUs (--gpus all)"
    return ""


def _gpus() -> int:
    """GPUs that the NVIDIA driver offers to this process; 0 without a driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def _installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True
