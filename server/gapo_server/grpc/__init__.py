"""gRPC: the servicer of gapo.v1."""
