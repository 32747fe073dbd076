"""The shared language of GAPO: constraints, pairs, packing and bundles. Never imports torch or onnxruntime."""
