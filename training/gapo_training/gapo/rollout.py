"""Sampling responses: in process through Hugging Face `generate`, or on a vLLM server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import httpx
import torch
from torch import Tensor, nn
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList


class RolloutBackend(Protocol):
    """`sync` takes the policy's full weights by name; `generate` samples one response for each prompt.

    A response holds its end token when it has one. Row i depends on `seeds[i]` and its prompt, not on its company.
    """

    def sync(self, weights: Mapping[str, Tensor]) -> None: ...

    def generate(self, prompts: Sequence[Sequence[int]], seeds: Sequence[int]) -> list[list[int]]: ...


class GumbelNoise(LogitsProcessor):  # type: ignore[misc]
    """Makes greedy search sample: argmax of logits / temperature + Gumbel noise draws from the softmax.

    Each row has a generator of its own, so what it draws does not depend on batch or process.
    """

    def __init__(self, seeds: Sequence[int], temperature: float, device: torch.device) -> None:
        self._generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]
        self._temperature = temperature

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        noise = torch.empty_like(scores, dtype=torch.float32)  # [B, V]
        for row, generator in zip(noise, self._generators, strict=True):
            row.exponential_(generator=generator)
        return scores.float() / self._temperature - noise.log()


@dataclass
class HFRollout:
    """Generates with its own copy of the policy, in batches of prompts of like length."""

    model: nn.Module
    end: int
    pad: int
    batch: int
    max_new_tokens: int
    temperature: float  # 0 is greedy

    def sync(self, weights: Mapping[str, Tensor]) -> None:
        self.model.load_state_dict(weights)

    @torch.inference_mode()
    def generate(self, prompts: Sequence[Sequence[int]], seeds: Sequence[int]) -> list[list[int]]:
        self.model.eval()
        device = next(self.model.parameters()).device
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
        responses: list[list[int]] = [[] for _ in prompts]
        settings = GenerationConfig(
            max_new_tokens=self.max_new_tokens, do_sample=False, eos_token_id=self.end, pad_token_id=self.pad
        )
        for start in range(0, len(order), self.batch):
            rows = order[start : start + self.batch]
            width = max(len(prompts[i]) for i in rows)
            ids = torch.full((len(rows), width), self.pad)
            for n, i in enumerate(rows):  # padded on the left, so that all rows go on at one column
                ids[n, width - len(prompts[i]) :] = torch.tensor(prompts[i])
            lengths = torch.tensor([len(prompts[i]) for i in rows])
            attention = (torch.arange(width) >= width - lengths[:, None]).long()
            noise = LogitsProcessorList()
            if self.temperature > 0:
                noise.append(GumbelNoise([seeds[i] for i in rows], self.temperature, device))
            out = cast(Any, self.model).generate(
                ids.to(device),
                attention_mask=attention.to(device),
                generation_config=settings,
                logits_processor=noise,
                use_cache=True,
            )
            for i, row in zip(rows, out[:, width:].tolist(), strict=True):
                responses[i] = row[: row.index(self.end) + 1] if self.end in row else row
        return responses


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

    def generate(self, prompts: Sequence[Sequence[int]], seeds: Sequence[int]) -> list[list[int]]:
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
        return responses

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        reply = httpx.post(f"{self.url}{path}", json=body, timeout=self.timeout)
        reply.raise_for_status()
        return reply.json() if reply.content else None
