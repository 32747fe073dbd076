"""The generator: a Qwen2 causal language model, its tokenizer, and log-probabilities of given responses."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast, Qwen2Config

from gapo_training.gapo.config import ConfigError, GeneratorConfig
from gapo_training.gapo.folders import check_generator

END, PADDING, ANSWER = "<|end|>", "<|pad|>", "<|answer|>"


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE, lossless, with an end token, a padding token and a mark between prompt and response.

    Digits stand alone, as in Qwen2's vocabulary: a number that no training text holds is copied like any other.
    """
    tokenizer = Tokenizer(models.BPE())
    digits = pre_tokenizers.Split(Regex(r" ?\d"), "isolated")
    words = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, words])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=[PADDING, END, ANSWER], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PADDING, eos_token=END)


@dataclass(frozen=True)
class Speech:
    """The generator's tokenizer and how a prompt becomes what it continues."""

    tokenizer: Any

    @property
    def end(self) -> int:
        return int(self.tokenizer.eos_token_id)

    @property
    def pad(self) -> int:
        """Padding is masked, so that the end token serves where a tokenizer has none of its own."""
        return self.end if self.tokenizer.pad_token_id is None else int(self.tokenizer.pad_token_id)

    def prompt(self, text: str) -> list[int]:
        """Ids that the response follows: the chat template where the tokenizer has one, else the prompt, with the mark
        where the vocabulary has it."""
        if self.tokenizer.chat_template:
            message = [{"role": "user", "content": text}]
            given = {"add_generation_prompt": True, "return_dict": False}  # ids alone, by transformers 5 too
            return cast(list[int], self.tokenizer.apply_chat_template(message, **given))
        ids = self.tokenizer.encode(text, add_special_tokens=False)
        mark = self.tokenizer.convert_tokens_to_ids(ANSWER)  # of an unknown token: None or the unknown token's
        known = mark is not None and self.tokenizer.convert_ids_to_tokens(mark) == ANSWER
        return [*ids, mark] if known else cast(list[int], ids)

    def prompts(self, texts: Sequence[str], most: int) -> list[list[int]]:
        """Ids of each. Raises `ConfigError` where one has more than `most`, the run's `max_prompt_tokens`."""
        prompts = [self.prompt(text) for text in texts]
        longest = max(map(len, prompts), default=0)
        if longest > most:
            raise ConfigError(f"max_prompt_tokens: a prompt has {longest} tokens, {most} are allowed; allow more")
        return prompts

    def response(self, text: str) -> list[int]:
        """Ids of a complete response, its end token included."""
        return [*self.tokenizer.encode(text, add_special_tokens=False), self.end]

    def text(self, ids: Sequence[int]) -> str:
        """The response's text, without the end token."""
        return cast(str, self.tokenizer.decode(ids, skip_special_tokens=True)).strip()


def qwen2_config(config: GeneratorConfig, vocab_size: int) -> Qwen2Config:
    return Qwen2Config(
        vocab_size=vocab_size,
        hidden_size=config.hidden_size,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.key_value_heads,
        intermediate_size=config.intermediate_size,
        max_position_embeddings=config.max_positions,
        tie_word_embeddings=config.tied_embeddings,
        bos_token_id=None,
    )


def build(config: GeneratorConfig, texts: Iterable[str], seed: int) -> tuple[Any, Speech]:
    """The language model and its tokenizer, from `config.path` or untrained. Raises `ConfigError`."""
    if config.path is not None:
        check_generator(config.path, "generator.path")
        return load(config.path)
    tokenizer = train_tokenizer(texts, config.vocab_size)
    torch.manual_seed(seed)
    shape = qwen2_config(config, len(tokenizer))
    shape.eos_token_id, shape.pad_token_id = tokenizer.eos_token_id, tokenizer.pad_token_id
    return AutoModelForCausalLM.from_config(shape, attn_implementation="sdpa"), Speech(tokenizer)


def load(directory: Path) -> tuple[Any, Speech]:
    """A Hugging Face checkpoint folder, read without network."""
    # Weights of half precision would be trained in it: transformers 5 loads them as they were saved.
    model = AutoModelForCausalLM.from_pretrained(directory, local_files_only=True, dtype=torch.float32)
    return model, Speech(_load_tokenizer(directory))


def _load_tokenizer(directory: Path) -> Any:
    """What was saved as a plain tokenizer is loaded as one: for a Qwen2 model, `AutoTokenizer` of transformers 5 parts
    words as Qwen2's own tokenizer does, whatever tokenizer.json says."""
    file = directory / "tokenizer_config.json"
    saved = json.loads(file.read_text(encoding="utf-8")).get("tokenizer_class") if file.is_file() else None
    plain = saved in ("PreTrainedTokenizerFast", "TokenizersBackend")  # its names in transformers 4 and 5
    kind = PreTrainedTokenizerFast if plain else AutoTokenizer
    return kind.from_pretrained(directory, local_files_only=True)


def save(model: nn.Module, speech: Speech, directory: Path) -> None:
    """Writes a folder that transformers loads."""
    cast(Any, model).save_pretrained(directory)
    speech.tokenizer.save_pretrained(directory)


def shape_of(config: GeneratorConfig) -> Any:
    """The architecture without weights or tokenizer: of `path` where that folder is at hand, else of the fields.

    Raises `ConfigError` where the folder holds another kind of model.
    """
    if config.path is not None and (config.path / "config.json").is_file():
        check_generator(config.path, "generator.path")
        return AutoConfig.from_pretrained(config.path, local_files_only=True)
    return qwen2_config(config, config.vocab_size)


@dataclass(frozen=True)
class Sequences:
    """B rows of prompt and response, padded on the right to L tokens; R is the longest response.

    A real token never looks to its right, so causal models need no mask for this padding.

    ids [B, L] · place [B, R] the position whose output predicts each response token ·
    target [B, R] response tokens · mask [B, R] 1 where a response token is real.
    """

    ids: Tensor
    place: Tensor
    target: Tensor
    mask: Tensor

    @staticmethod
    def of(
        prompts: Sequence[Sequence[int]], responses: Sequence[Sequence[int]], pad: int, device: torch.device
    ) -> "Sequences":
        rows = [[*p, *r] for p, r in zip(prompts, responses, strict=True)]
        longest, most = max(map(len, rows)), max(map(len, responses))
        ids = torch.full((len(rows), longest), pad)
        place, target = torch.zeros((2, len(rows), most), dtype=torch.long)
        mask = torch.zeros((len(rows), most))
        for i, (row, prompt, response) in enumerate(zip(rows, prompts, responses, strict=True)):
            ids[i, : len(row)] = torch.tensor(row)
            place[i, : len(response)] = torch.arange(len(response)) + len(prompt) - 1
            target[i, : len(response)] = torch.tensor(response)
            mask[i, : len(response)] = 1
        return Sequences(*(t.to(device) for t in (ids, place, target, mask)))


def micro_batches(rows: Sequence[int], lengths: Sequence[int], size: int) -> list[list[int]]:
    """Rows of like length together, `size` at a time."""
    order = sorted(rows, key=lambda i: lengths[i])
    return [order[start : start + size] for start in range(0, len(order), size)]


class Actor(nn.Module):
    """Log-probabilities of response tokens under a causal language model."""

    def __init__(self, language_model: nn.Module, temperature: float = 1.0) -> None:
        super().__init__()
        self.language_model = language_model
        self.temperature = temperature  # that the policy samples with: its log-probabilities are of that distribution

    def forward(self, s: Sequences) -> tuple[Tensor, Tensor]:
        """Log-probability of each response token and the entropy at its place, both [B, R], zero where masked."""
        lm: Any = self.language_model
        # All ones: without a mask transformers looks for packed sequences and builds a causal mask, a sixth of a step.
        hidden = lm.base_model(input_ids=s.ids, attention_mask=torch.ones_like(s.ids), use_cache=False)[0]  # [B, L, H]
        real = s.mask > 0
        # The vocabulary is wide: logits are made for response tokens alone. [N, H] -> [N, V]
        rows = torch.arange(len(s.ids), device=s.ids.device)[:, None].expand_as(s.place)
        logits = lm.get_output_embeddings()(hidden[rows[real], s.place[real]]).float() / self.temperature
        every = F.log_softmax(logits, -1)
        chosen = every.gather(1, s.target[real][:, None])[:, 0]
        with torch.no_grad():
            spread = -(every.exp() * every).sum(-1)
        empty = torch.zeros_like(s.mask)
        return empty.masked_scatter(real, chosen), empty.masked_scatter(real, spread)
