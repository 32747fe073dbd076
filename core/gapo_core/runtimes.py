"""Which precisions a runtime computes: what `gapo export` makes for it and `gapo serve` gives to it."""

PRECISIONS: dict[str, tuple[str, ...]] = {
    "cpu": ("fp32", "int8"),
    "cuda": ("fp32", "fp16", "bf16"),
    "tensorrt": ("fp32", "fp16", "bf16"),
    "openvino": ("fp32", "fp16", "bf16", "int8"),
}
"""ONNX Runtime's CPU kernels compute neither half precision; CUDA and TensorRT have none of dynamic int8."""
