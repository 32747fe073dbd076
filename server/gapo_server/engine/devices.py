"""Which device a server runs on, and why; what is asked for and missing is an error, never a fall-back."""

import ctypes
import logging
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import onnxruntime as ort
from gapo_core.bundle import Bundle
from gapo_core.runtimes import PRECISIONS

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


def choose(asked: Device, machine: Machine, precision: str = "fp32") -> Choice:
    """The device for a bundle of this precision.

    `auto` takes CUDA where a GPU answers, else ONNX Runtime on the CPU, else OpenVINO; so OpenVINO only for a
    precision that the others do not compute, and TensorRT, which builds engines for minutes, never unasked.
    Raises `DeviceUnavailable`.
    """
    if asked is not Device.AUTO:
        missing = _missing(asked, machine, precision)
        if missing:
            raise DeviceUnavailable(f"device: {asked.value} cannot be had: {missing}")
        return Choice(asked, "as asked")
    without: list[str] = []
    for device in (Device.CUDA, Device.CPU, Device.OPENVINO):
        missing = _missing(device, machine, precision)
        if not missing:
            here = f"{machine.gpus} NVIDIA GPU(s) and a CUDA provider are here" if device is Device.CUDA else ""
            return Choice(device, f"auto: {'; '.join(without) or here}")
        without.append(f"no {device.value}, as {missing.partition(';')[0]}")
    raise DeviceUnavailable(f"device: none runs this bundle: {'; '.join(without)}; export it in fp32, or install one")


def open_engine(bundle: Bundle, pad_id: int, options: EngineOptions, machine: Machine | None = None) -> Engine:
    """Loads the bundle's graph on the chosen device and logs the choice.

    Raises `DeviceUnavailable` when the device is not here or its libraries do not load.
    """
    choice = choose(options.device, machine or probe(), bundle.manifest.precision)
    log.info("device %s (%s)", choice.device.value, choice.reason)
    options = replace(options, device=choice.device)
    if choice.device is Device.OPENVINO:
        from gapo_server.engine.openvino import OpenVinoEngine  # an extra: importable only when chosen

        engine: Engine = OpenVinoEngine(bundle, pad_id, options)
        return engine
    return OnnxRuntimeEngine(bundle, pad_id, options)


def _missing(device: Device, machine: Machine, precision: str) -> str:
    """Why the device cannot be had, then a semicolon and the remedy; empty if nothing is missing."""
    if precision not in PRECISIONS[device.value]:
        return f"it does not compute the bundle's {precision}; export it in {' or '.join(PRECISIONS[device.value])}"
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
