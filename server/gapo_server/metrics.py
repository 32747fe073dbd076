"""The metrics of one server, in base units (seconds, tokens, pairs)."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_POWERS = tuple(2**i for i in range(17))


class Metrics:
    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.request_seconds = Histogram(
            "gapo_request_seconds",
            "Seconds from a request's head to its answer; outcome is ok or the error's reason",
            ["protocol", "route", "outcome"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.errors = Counter("gapo_errors", "Requests that failed", ["protocol", "reason"], registry=registry)
        self.tokenize_seconds = Histogram(
            "gapo_tokenize_seconds",
            "Seconds a request spends being tokenized, waiting for a thread included",
            buckets=_SECONDS,
            registry=registry,
        )
        self.queue_seconds = Histogram(
            "gapo_queue_seconds", "Seconds a pair waits for its batch", buckets=_SECONDS, registry=registry
        )
        self.batch_seconds = Histogram(
            "gapo_batch_seconds", "Seconds the engine takes for a batch", buckets=_SECONDS, registry=registry
        )
        self.batch_tokens = Histogram("gapo_batch_tokens", "Tokens of a batch", buckets=_POWERS, registry=registry)
        self.batch_pairs = Histogram("gapo_batch_pairs", "Pairs of a batch", buckets=_POWERS[:12], registry=registry)
        self.queue_tokens = Gauge("gapo_queue_tokens", "Tokens that wait for a batch", registry=registry)
        self.inflight_bytes = Gauge("gapo_inflight_bytes", "Bytes of unanswered requests", registry=registry)
        self.scored_pairs = Counter("gapo_scored_pairs", "Pairs scored", ["model"], registry=registry)
        self.scored_tokens = Counter("gapo_scored_tokens", "Tokens scored", ["model"], registry=registry)
        self.truncated_tokens = Counter(
            "gapo_truncated_tokens", "Tokens cut by a truncation policy", ["model", "field"], registry=registry
        )
        self.dropped_pairs = Counter(
            "gapo_dropped_pairs",
            "Pairs dropped from the queue: their client had gone, or their deadline had passed",
            ["reason"],
            registry=registry,
        )
        self.check_seconds = Histogram(
            "gapo_check_seconds",
            "Seconds a pair's check takes, waiting for a process included",
            buckets=_SECONDS,
            registry=registry,
        )
        self.checked_pairs = Counter("gapo_checked_pairs", "Pairs checked by rules", ["status"], registry=registry)
        self.decisions = Counter(
            "gapo_decisions", "Responses that the gate decided on", ["policy", "decision"], registry=registry
        )
        self.healthy = Gauge("gapo_healthy", "1 while every engine answers, else 0", registry=registry)
        self.model_info = Gauge("gapo_model_info", "1 for each served model", ["model", "version"], registry=registry)
