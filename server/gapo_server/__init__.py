"""The reward-model server: engine, batcher, REST and gRPC. Never imports torch."""
