"""Greedy answers of a local generator to a file of prompts, kept as they come."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from gapo_core.bundle import sha256

from gapo_training.gapo import generator
from gapo_training.gapo.folders import check_generator
from gapo_training.gapo.rollout import HFRollout
from gapo_training.judges import rows
from gapo_training.judges.ifeval import Prompt


def answer(
    folder: Path,
    prompts: Sequence[Prompt],
    file: Path,
    batch: int,
    max_new_tokens: int,
    device: torch.device,
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Generates one response a prompt, `batch` at a time, and appends it to `file` with `key` and `prompt`.

    Prompts that the file answers already are passed over, so a killed command is simply repeated. On a GPU the model
    computes in bfloat16. Raises `ValueError` where the file holds answers of other weights or of another length,
    for a prompt that does not fit the model, and for a folder of another kind of model.
    """
    check_generator(folder, "--generator")
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise ValueError(f"--generator: {folder} holds no *.safetensors; save the model with save_pretrained")
    source = rows.digest(str(max_new_tokens), *(sha256(path) for path in weights))
    with rows.Growing(file, source, "--save-responses") as answers:
        done = {str(row["key"]) for row in answers.rows}
        progress(len(done))
        left = [prompt for prompt in prompts if prompt.key not in done]
        if not left:
            return
        model, speech = generator.load(folder)
        model.to(device, torch.bfloat16 if device.type == "cuda" else None)
        most = getattr(model.config, "max_position_embeddings", None)
        ids = {prompt.key: speech.prompt(prompt.text) for prompt in left}
        for prompt in left:
            if most is not None and len(ids[prompt.key]) + max_new_tokens > most:
                raise ValueError(
                    f"--max-new-tokens: prompt {prompt.key} has {len(ids[prompt.key])} tokens, and {max_new_tokens} "
                    f"more exceed the model's {most}; lower it"
                )
        sampler = HFRollout(model, speech.end, speech.pad, batch, max_new_tokens, temperature=0.0)
        left.sort(key=lambda prompt: len(ids[prompt.key]))  # prompts of like length are padded least
        for first in range(0, len(left), batch):
            part = left[first : first + batch]
            responses = sampler.generate([ids[prompt.key] for prompt in part], [0] * len(part))
            for prompt, response in zip(part, responses, strict=True):
                row = {"key": prompt.key, "prompt": prompt.text, "response": speech.text(response)}
                answers.append(row)
            progress(len(done) + first + len(part))
