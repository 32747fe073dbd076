"""Sampling responses: in process with a Hugging Face model, or on a vLLM server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import httpx
import torch
from torch import Tensor, nn
from transformers import DynamicCache

_COMPACT = 0.8  # a batch is cut down when no more than this share of its rows goes on: cutting copies the cache


class RolloutBackend(Protocol):
    """`sync` takes the policy's full weights by name; `sample` draws one response for each prompt.

    A response holds its end token when it has one. Row i depends on `seeds[i]` and its prompt, not on its company.
    Beside the responses come the log-probabilities of their tokens, where the backend computes them as exactly as the
    trainer would; else None, and the trainer computes them.
    """

    def sync(self, weights: Mapping[str, Tensor]) -> None: ...

    def sample(
        self, prompts: Sequence[Sequence[int]], seeds: Sequence[int]
    ) -> tuple[list[list[int]], list[list[float]] | None]: ...


@dataclass
class HFRollout:
    """Samples with its own copy of the policy, a Hugging Face module with its key-value cache.

    Prompts of like length go together, and rows leave the batch as they end: `generate` of transformers goes on
    computing them until the longest is done.
    """

    model: nn.Module
    end: int
    pad: int
    batch: int
    max_new_tokens: int
    temperature: float  # 0 is greedy

    def sync(self, weights: Mapping[str, Tensor]) -> None:
        self.model.load_state_dict(weights)

    def generate(self, prompts: Sequence[Sequence[int]], seeds: Sequence[int]) -> list[list[int]]:
        """`sample` without log-probabilities."""
        return self.sample(prompts, seeds)[0]

    @torch.inference_mode()
    def sample(
        self, prompts: Sequence[Sequence[int]], seeds: Sequence[int]
    ) -> tuple[list[list[int]], list[list[float]] | None]:
        self.model.eval()
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
        responses: list[list[int]] = [[] for _ in prompts]
        log_probs: list[list[float]] = [[] for _ in prompts]
        for start in range(0, len(order), self.batch):
            rows = order[start : start + self.batch]
            found = self._continue([prompts[i] for i in rows], [seeds[i] for i in rows])
            for i, (response, nats) in zip(rows, found, strict=True):
                responses[i], log_probs[i] = response, nats
        exact = self.temperature > 0 and next(self.model.parameters()).dtype == torch.float32
        return responses, log_probs if exact else None

    def _continue(self, prompts: Sequence[Sequence[int]], seeds: Sequence[int]) -> list[tuple[list[int], list[float]]]:
        device = next(self.model.parameters()).device
        # A number for each token to be drawn, from a generator of the row's own. [b, max_new_tokens]
        numbers = [torch.rand(self.max_new_tokens, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        noise = torch.stack(numbers).to(device)
        distinct = {tuple(prompt): number for number, prompt in enumerate(dict.fromkeys(map(tuple, prompts)))}
        width = max(map(len, prompts))
        # Padded on the left, so that all rows go on at one column. [b, L]
        ids = torch.tensor([[self.pad] * (width - len(p)) + list(p) for p in distinct], device=device)
        real = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in distinct], device=device)
        place = (real.cumsum(1) - 1).clamp(min=0)
        cache = DynamicCache()
        logits = self._next(ids, real, place, cache)
        if len(distinct) < len(prompts):  # of a prompt that is answered several times keys and values are computed once
            of = torch.tensor([distinct[tuple(prompt)] for prompt in prompts], device=device)
            cache.batch_select_indices(of)
            logits, real, place = logits[of], real[of], place[of]
        responses: list[tuple[list[int], list[float]]] = [([], []) for _ in prompts]
        rows = list(range(len(prompts)))  # that are in the batch
        for step in range(self.max_new_tokens):
            chosen, nats = self._draw(logits, noise[:, step])  # [b] each
            going = []
            for n, (token, log_prob) in enumerate(zip(chosen.tolist(), nats.tolist(), strict=True)):
                response, log_probs = responses[rows[n]]
                if response[-1:] != [self.end]:
                    response.append(token)
                    log_probs.append(log_prob)
                    if token != self.end and len(response) < self.max_new_tokens:
                        going.append(n)
            if not going:
                break
            if len(going) <= _COMPACT * len(rows):
                kept = torch.tensor(going, device=device)
                cache.batch_select_indices(kept)
                rows = [rows[n] for n in going]
                chosen, real, place, noise = chosen[kept], real[kept], place[kept], noise[kept]
            ids, place = chosen[:, None], place[:, -1:] + 1
            real = torch.cat([real, torch.ones_like(ids)], 1)
            logits = self._next(ids, real, place, cache)
        return responses

    def _next(self, ids: Tensor, real: Tensor, place: Tensor, cache: DynamicCache) -> Tensor:
        """Logits of the token after each row's last. [b, V]"""
        out = cast(Any, self.model)(
            input_ids=ids, attention_mask=real, position_ids=place, past_key_values=cache, logits_to_keep=1
        )
        return cast(Tensor, out.logits[:, -1].float())

    def _draw(self, logits: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """The likeliest token of each row, or the one at which the distribution function of softmax(logits /
        temperature) exceeds the row's number in [0, 1), and its log-probability there, 0 for the likeliest.
        [b, V] and [b] -> [b] and [b]
        """
        if self.temperature <= 0:
            return logits.argmax(1), torch.zeros(len(logits))
        log_probs = (logits / self.temperature).log_softmax(1)
        below = log_probs.double().exp().cumsum(1)
        chosen = torch.searchsorted(below, (noise * below[:, -1])[:, None], right=True)
        return chosen[:, 0], log_probs.gather(1, chosen)[:, 0]


@dataclass
class VLLMRollout:
    """Generates on a vLLM server whose model is the folder `shared`. Not run by this project: it has no such machine.

    The server must be started with VLLM_SERVER_DEV_MODE=1 on a file system where it sees `shared`; new weights are
    written there and `/collective_rpc` asks the workers to read them again.
    """

    url: str
    shared: Path
    model: Any  # the sampler's Hugging Face module: it writes checkpoints in the format that the server reads
    end: int
    max_new_tokens: int
    temperature: float
    sends_weights: bool = True  # one process of a run does; the others only sample
    timeout: float = 600.0  # seconds

    def sync(self, weights: Mapping[str, Tensor]) -> None:
        if not self.sends_weights:
            return
        self.model.load_state_dict(weights)
        self.model.save_pretrained(self.shared)
        self._post("/collective_rpc", {"method": "reload_weights"})
        self._post("/reset_prefix_cache", {})

    def sample(self, prompts: Sequence[Sequence[int]], seeds: Sequence[int]) -> tuple[list[list[int]], None]:
        responses = []
        for prompt, seed in zip(prompts, seeds, strict=True):
            body = {
                "model": str(self.shared),
                "prompt": list(prompt),
                "max_tokens": self.max_new_tokens,
                "temperature": self.temperature,
                "seed": seed,
                "return_token_ids": True,
            }
            choice = self._post("/v1/completions", body)["choices"][0]
            ids = list(choice["token_ids"])
            # The server may leave out the end token, which is the policy's last action.
            finished = choice["finish_reason"] == "stop"
            responses.append([*ids, self.end] if finished and ids[-1:] != [self.end] else ids)
        return responses, None  # the server's kernels round otherwise than the trainer's

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        reply = httpx.post(f"{self.url}{path}", json=body, timeout=self.timeout)
        reply.raise_for_status()
        return reply.json() if reply.content else None
