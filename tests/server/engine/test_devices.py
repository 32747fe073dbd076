"""The device is chosen aloud; what is missing is an error with its remedy, never a fall-back."""

import logging
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from gapo_core.packing import INPUT_NAMES, pack, runs
from gapo_server.config import Settings
from gapo_server.engine.base import CPU_BATCH_TOKENS, GPU_BATCH_TOKENS, Device, DeviceUnavailable, EngineOptions
from gapo_server.engine.devices import Machine, choose, open_engine, probe
from gapo_server.engine.onnxruntime import (
    CPU,
    CUDA,
    cuda_options,
    open_session,
    providers,
    session_options,
)
from gapo_server.engine.parted import side_by_side
from gapo_server.engine.tensorrt import TENSORRT, cache_folder, profile, tensorrt_options

PLAIN = Machine(providers=(CPU,), gpus=0, openvino=False, both_runtimes=False)
GPU = Machine(providers=(TENSORRT, CUDA, CPU), gpus=2, openvino=True, both_runtimes=False)


@pytest.mark.parametrize(
    ("machine", "device", "reason"),
    [
        (PLAIN, Device.CPU, f"no cuda, as this onnxruntime has no {CUDA}"),
        (replace(GPU, gpus=0), Device.CPU, "no cuda, as no NVIDIA GPU answers"),
        (replace(GPU, both_runtimes=True), Device.CPU, "overwrite each other"),
        (replace(PLAIN, openvino=True), Device.CPU, "no cuda"),
        (GPU, Device.CUDA, "2 NVIDIA GPU"),
    ],
)
def test_auto_takes_what_the_machine_has_and_says_why(machine, device, reason) -> None:
    choice = choose(Device.AUTO, machine)
    assert choice.device is device
    assert reason in choice.reason


@pytest.mark.parametrize(
    ("machine", "precision", "device", "reason"),
    [
        (GPU, "bf16", Device.CUDA, "2 NVIDIA GPU"),
        (GPU, "int8", Device.CPU, "no cuda, as it does not compute the bundle's int8"),
        (replace(GPU, gpus=0), "bf16", Device.OPENVINO, "no cpu, as it does not compute the bundle's bf16"),
    ],
)
def test_auto_takes_a_device_that_computes_the_bundles_precision(machine, precision, device, reason) -> None:
    choice = choose(Device.AUTO, machine, precision)
    assert choice.device is device
    assert reason in choice.reason


def test_a_precision_that_no_device_here_computes_is_an_error() -> None:
    with pytest.raises(DeviceUnavailable, match=r"device: none runs this bundle: no cuda.* export it in fp32"):
        choose(Device.AUTO, PLAIN, "fp16")
    with pytest.raises(DeviceUnavailable, match="cpu cannot be had: it does not compute the bundle's fp16"):
        choose(Device.CPU, PLAIN, "fp16")


@pytest.mark.parametrize("device", [Device.CPU, Device.CUDA, Device.TENSORRT, Device.OPENVINO])
def test_a_device_that_is_here_is_taken_as_asked(device) -> None:
    assert choose(device, GPU).device is device


@pytest.mark.parametrize(
    ("device", "machine", "remedy"),
    [
        (Device.CUDA, PLAIN, r"gapo\[server-gpu\]"),
        (Device.TENSORRT, PLAIN, r"gapo\[server-gpu\]"),
        (Device.TENSORRT, replace(GPU, gpus=0), "NVIDIA driver"),
        (Device.CUDA, replace(GPU, gpus=0), "NVIDIA driver"),
        (Device.CUDA, replace(GPU, both_runtimes=True), "pip uninstall both"),
        (Device.OPENVINO, PLAIN, r"gapo\[openvino\]"),
    ],
)
def test_a_missing_device_is_an_error_with_the_remedy(device, machine, remedy) -> None:
    with pytest.raises(DeviceUnavailable, match=rf"device: {device.value} cannot be had: .*; .*{remedy}"):
        choose(device, machine)


def test_this_machine_opens_an_engine_and_logs_the_choice_in_one_line(bundle, caplog) -> None:
    with caplog.at_level(logging.INFO, "gapo_server.engine.devices"):
        engine = open_engine(bundle, 0, EngineOptions(), replace(probe(), gpus=0))
    assert np.isfinite(engine.score([[2, 3]])).all()
    assert [record.getMessage().splitlines()[0][:12] for record in caplog.records] == ["device cpu ("]


@pytest.mark.skipif(probe().gpus > 0, reason="a GPU is here")
@pytest.mark.filterwarnings("ignore:Specified provider")
@pytest.mark.parametrize("name", [CUDA, TENSORRT])
def test_a_provider_that_onnx_runtime_drops_quietly_is_noticed(bundle, name) -> None:
    with pytest.raises(DeviceUnavailable, match=rf"{name} .*gapo\[server-gpu\]"):
        open_session(str(bundle.file("model.onnx")), session_options(EngineOptions()), [(name, {}), (CPU, {})])


@pytest.mark.skipif(probe().gpus > 0, reason="a GPU is here")
def test_serve_ends_with_the_remedy_when_the_device_is_missing(bundle) -> None:
    program = [sys.executable, "-c", "from gapo.cli import main; main()", "serve", "--bundle", str(bundle.path)]
    options = ["--http-port", "0", "--grpc-port", "0", "--device", "cuda"]
    done = subprocess.run([*program, *options], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("error: device: cuda cannot be had: ")
    assert "Traceback" not in done.stderr


def test_device_is_also_a_variable(monkeypatch) -> None:
    monkeypatch.setenv("GAPO_DEVICE", "openvino")
    assert Settings().engine.device is Device.OPENVINO


def test_every_engine_option_is_a_setting_with_the_same_default() -> None:
    assert Settings().engine == EngineOptions()


@pytest.mark.parametrize(
    ("device", "tokens"),
    [(Device.CPU, 2048), (Device.OPENVINO, 2048), (Device.CUDA, 16384), (Device.TENSORRT, 16384)],
)
def test_a_batch_suits_the_device_unless_told_otherwise(device, tokens) -> None:
    assert EngineOptions(device).batch_tokens == tokens
    assert EngineOptions(device, max_batch_tokens=99).batch_tokens == 99


def test_providers_come_in_the_order_of_the_device(bundle, tmp_path) -> None:
    def names(device: Device) -> list[str]:
        return [name for name, _ in providers(bundle, EngineOptions(device, tensorrt_cache=tmp_path))]

    assert names(Device.CPU) == [CPU]
    assert names(Device.CUDA) == [CUDA, CPU]
    assert names(Device.TENSORRT) == [TENSORRT, CUDA, CPU]


def test_cuda_options_keep_fp32_exact_and_bound_memory() -> None:
    assert cuda_options(EngineOptions(gpu=1, gpu_memory_bytes=1 << 30)) == {
        "device_id": "1",
        "arena_extend_strategy": "kSameAsRequested",
        "use_tf32": "0",
        "gpu_mem_limit": str(1 << 30),
    }


def test_session_options_follow_the_options() -> None:
    made = session_options(EngineOptions(threads=3, memory_arena=False))
    assert made.intra_op_num_threads == 3
    assert not made.enable_cpu_mem_arena
    assert made.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def lengths_of_runs(lengths: list[int], budget: int) -> list[list[int]]:
    return [[lengths[i] for i in run] for run in runs(lengths, budget)]


@pytest.mark.parametrize("budget", [CPU_BATCH_TOKENS, GPU_BATCH_TOKENS])
def test_tensorrt_profile_covers_every_batch_of_the_budget(bundle, budget) -> None:
    shape = bundle.manifest.architecture
    ranges = profile(shape, budget)
    assert sorted(ranges) == sorted(INPUT_NAMES)
    rng = np.random.default_rng(0)
    batches = [[5], [shape.max_tokens], [1000, 30, 500], [5] * 300 + [540], [budget]]
    batches += [[length] * (budget // length) for length in (5, 65, 128, shape.max_tokens)]
    batches += [rng.integers(5, 400, budget // 64).tolist() for _ in range(20)]
    for run in (run for lengths in batches for run in lengths_of_runs(lengths, budget)):
        arrays = pack([[0] * n for n in run], shape.block, shape.window // 2)
        for name, array in arrays.items():
            least, _, most = ranges[name]
            assert all(a <= b <= c for a, b, c in zip(least, array.shape, most, strict=True)), (name, run)
    for least, usual, most in ranges.values():
        assert all(a <= b <= c for a, b, c in zip(least, usual, most, strict=True))


def test_tensorrt_options_write_the_profile_and_the_precision(tmp_path) -> None:
    shapes = {"ids": ((32,), (64,), (4096,)), "neighbours": ((1, 1), (2, 3), (128, 9))}
    made = tensorrt_options(shapes, tmp_path, EngineOptions(tensorrt_precision="fp16", gpu_memory_bytes=1 << 20))
    assert made["trt_profile_min_shapes"] == "ids:32,neighbours:1x1"
    assert made["trt_profile_opt_shapes"] == "ids:64,neighbours:2x3"
    assert made["trt_profile_max_shapes"] == "ids:4096,neighbours:128x9"
    assert (made["trt_fp16_enable"], made["trt_bf16_enable"], made["trt_layer_norm_fp32_fallback"]) == ("1", "0", "1")
    assert (made["trt_engine_cache_enable"], made["trt_engine_cache_path"]) == ("1", str(tmp_path))
    assert made["trt_max_workspace_size"] == str(1 << 20)


def test_tensorrt_engines_of_other_shapes_or_precision_are_not_reused(bundle, tmp_path) -> None:
    def folder(budget: int, precision: str):
        options = EngineOptions(tensorrt_cache=tmp_path, tensorrt_precision=precision)
        return cache_folder(bundle, profile(bundle.manifest.architecture, budget), options)

    first = folder(2048, "graph")
    assert first == folder(2048, "graph")
    assert first.is_dir()
    assert len({first, folder(8192, "graph"), folder(2048, "fp16")}) == 3


@pytest.mark.parametrize("lengths", [(3,), (400, 50, 3), (300, 300, 300, 300), tuple(range(5, 60)), (1000, 2)])
@pytest.mark.parametrize("device", [Device.CPU, Device.OPENVINO])
def test_threads_change_nothing_but_speed(bundle, device, lengths) -> None:
    ids = [[2, *[9] * n, 3] for n in lengths]
    one, two = (open_engine(bundle, 0, EngineOptions(device, threads=n)).score(ids) for n in (1, 2))
    assert np.abs(one - two).max() < 1e-5


@pytest.mark.parametrize(
    ("tokens", "threads", "best"),
    [
        ([512, 512], 2, True),
        ([512, 300, 200], 2, True),
        ([4096], 2, False),
        ([512, 100], 2, False),
        ([60] * 3, 4, False),
    ],
)
def test_batches_are_parted_where_no_thread_waits_long(tokens, threads, best) -> None:
    assert side_by_side(tokens, threads) is best
