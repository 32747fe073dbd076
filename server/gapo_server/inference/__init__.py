"""The Open Inference Protocol (KServe v2): what REST and gRPC share of it. The message classes are generated."""
