"""Generated from protos/gapo/v1; regenerate with `make protos`."""
