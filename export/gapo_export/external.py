"""Weights of a large graph in a file beside it: protobuf ends at 2 GiB."""

from pathlib import Path

import onnx
from onnx.external_data_helper import ExternalDataInfo, uses_external_data

LARGE = 1 << 30
"""Bytes of weights from which a bundle holds `model.onnx.data`."""


def keep_weights_beside(file: Path) -> None:
    """Moves the weights of a graph of `LARGE` bytes or more to one file `<file>.data`, named in the graph.

    The exporter itself writes a file for each tensor of a graph over 2 GiB; these become that one file too.
    """
    graph = onnx.load(str(file), load_external_data=False).graph
    scattered = {ExternalDataInfo(tensor).location for tensor in graph.initializer if uses_external_data(tensor)}
    if not scattered and file.stat().st_size < LARGE:
        return
    model = onnx.load(str(file))
    for name in scattered:
        (file.parent / name).unlink()
    beside = f"{file.name}.data"
    onnx.save_model(model, str(file), save_as_external_data=True, all_tensors_to_one_file=True, location=beside)
