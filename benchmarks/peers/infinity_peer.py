"""Infinity's torch engine, one `rerank` a prompt: `infinity_peer.py CHECKPOINT THREADS`."""

import asyncio
import sys

import torch
from infinity_emb import AsyncEmbeddingEngine, EngineArgs
from worker import Score, serve


def load() -> Score:
    torch.set_num_threads(int(sys.argv[2]))
    arguments = EngineArgs(
        model_name_or_path=sys.argv[1],
        engine="torch",
        device="cpu",
        dtype="float32",
        bettertransformer=False,
        model_warmup=False,
    )
    engine = AsyncEmbeddingEngine.from_args(arguments)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(engine.astart())

    async def rerank(pairs: list[tuple[str, str]]) -> list[float]:
        answers = await asyncio.gather(
            *(engine.rerank(query=prompt, docs=[response], raw_scores=True) for prompt, response in pairs)
        )
        return [float(getattr(ranking[0], "relevance_score", ranking[0])) for ranking, _ in answers]

    return lambda pairs: loop.run_until_complete(rerank(list(pairs)))


serve(load)
