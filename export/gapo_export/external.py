"""Weights of a large graph in a file beside it: protobuf ends at 2 GiB."""

from pathlib import Path

import onnx
from onnx.external_data_helper import ExternalDataInfo, uses_external_data

LARGE = 1 << 30
"""Bytes of weights from which a bundle holds `model.onnx.data`."""


def files_beside(file: Path) -> list[Path]:
    """The files that hold weights of the graph, other than its own."""
    graph = onnx.load(str(file), load_external_data=False).graph
    names = {ExternalDataInfo(tensor).location for tensor in graph.initializer if uses_external_data(tensor)}
    return [file.parent / name for name in sorted(names)]


def keep_weights_beside(file: Path) -> None:
    """Moves the weights of a graph of `LARGE` bytes or more to one file `<file>.data`, named in the graph.

    The exporter itself writes a file for each tensor of a graph over 2 GiB; these become that one file too.
    """
    scattered = files_beside(file)
    if not scattered and file.stat().st_size < LARGE:
        return
    model = onnx.load(str(file))
    for weights in scattered:
        weights.unlink()
    beside = f"{file.name}.data"
    onnx.save_model(model, str(file), save_as_external_data=True, all_tensors_to_one_file=True, location=beside)
