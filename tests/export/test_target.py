"""The target decides what a bundle may be and carries; Triton serves the store as it stands."""

import re

import pytest
from gapo_core import bundle
from gapo_core.bundle import BundleError
from gapo_core.packing import INPUT_NAMES
from gapo_export.publish import export_checkpoint
from gapo_export.target import PRECISIONS, Target, check


@pytest.mark.parametrize("target", list(Target))
def test_fp32_runs_everywhere(target) -> None:
    check(target, "fp32", "1")


@pytest.mark.parametrize(
    ("target", "precision"),
    [(t, p) for t in Target for p in ("fp16", "bf16", "int8") if p not in PRECISIONS[t]],
)
def test_a_precision_that_the_target_cannot_compute_is_refused(target, precision) -> None:
    with pytest.raises(BundleError, match=rf"precision: {precision} does not run on {target.value}; choose fp32 or"):
        check(target, precision, "1")


@pytest.mark.parametrize("version", ["0", "v1", "1.0", "01"])
def test_triton_takes_whole_numbers_as_versions(version) -> None:
    with pytest.raises(BundleError, match="choose --version 1, 2"):
        check(Target.TRITON, "fp32", version)


def test_the_store_becomes_a_triton_repository(small_checkpoint, tmp_path) -> None:
    path = export_checkpoint(small_checkpoint, tmp_path, "tiny", "1", target=Target.TRITON)
    assert bundle.load(path).manifest.provenance["target"] == "triton"
    text = (path.parent / "config.pbtxt").read_text()
    assert sorted(p.name for p in path.parent.iterdir()) == ["1", "config.pbtxt"]
    tensors = re.findall(r'\{ name: "(\w+)" data_type: (\w+) dims: \[ (.+?) \] \}', text)
    assert [name for name, _, _ in tensors] == [*INPUT_NAMES, "logits"]
    assert {kind for _, kind, _ in tensors[:-1]} == {"TYPE_INT64"}
    assert tensors[-1][1:] == ("TYPE_FP32", "-1, 1")
    assert all(set(dims.split(", ")) == {"-1"} for _, _, dims in tensors[:-1])
    assert 'name: "tiny"\nbackend: "onnxruntime"\nmax_batch_size: 0\n' in text
    again = export_checkpoint(small_checkpoint, tmp_path, "tiny", "2", target=Target.TRITON)
    assert (again.parent / "config.pbtxt").read_text() == text
