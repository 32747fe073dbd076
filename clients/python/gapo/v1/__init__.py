"""Generated from protos/gapo/v1, regenerated with `make protos`; `values` is written by hand."""
