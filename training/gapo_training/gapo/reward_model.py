"""The discriminator with its own tokenizer, from a checkpoint, a bundle, or untrained."""

import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import torch
from gapo_core.bundle import BundleError
from gapo_core.pairs import PairEncoder
from gapo_core.store import default_bundles
from gapo_export.recover import is_bundle, model_of
from gapo_model.packed_longformer import PackedLongformer
from gapo_server import EMBEDDED
from safetensors import safe_open
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import nn

from gapo_training import discriminator
from gapo_training.discriminator import Discriminator
from gapo_training.gapo.config import ConfigError, RewardModelConfig, longformer_shape
from gapo_training.gapo.folders import check_reward_model

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
LONG = 512  # tokens: room for a pair where only the tokenizer's kind is looked at


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """Lower-case byte pairs within words; padding is token 0. Word pieces would do, but their training is not
    deterministic (tokenizers 0.22 breaks ties by a hash), and a resumed run must find the same vocabulary."""
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=SPECIAL, show_progress=False)
    )
    return tokenizer


def build(config: RewardModelConfig, texts: Iterable[str], seed: int, directory: Path) -> tuple[Discriminator, Path]:
    """The model and its tokenizer.json, which is written to `directory` when it is trained here.

    Raises `ConfigError` when `path` is neither a checkpoint nor a bundle, or one of the other kind.
    """
    check(config)
    if (path := located(config)) is not None:
        model = load(path, "reward_model.path", fresh_head=True)
        for module in model.modules():
            if isinstance(module, nn.Dropout):  # no part of a bundle
                module.p = config.dropout
        return model, path / "tokenizer.json"
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "tokenizer.json"
    own = directory / f"tokenizer.{os.getpid()}.tmp"  # every process makes the same one, and reads while others write
    train_tokenizer(texts, config.vocab_size).save(str(own))
    own.replace(file)
    torch.manual_seed(seed)
    model = untrained(config, Tokenizer.from_file(str(file)).get_vocab_size())
    if isinstance(model, PackedLongformer):
        attend_to_repetitions(model)
    return model, file


def check(config: RewardModelConfig) -> None:
    """Raises `ConfigError` when `path` cannot be what `build` starts from; loads no weights."""
    if (path := located(config)) is None:
        return
    if not (path / "tokenizer.json").is_file():
        raise ConfigError(f"reward_model.path: {str(path)!r} holds no tokenizer.json; nothing is downloaded")
    # Without a head a decoder is a generator: only who asks for a decoder can mean it.
    headless = ("longformer", "qwen2") if config.kind == "decoder" else ("longformer",)
    check_reward_model(path, "reward_model.path", headless)
    decoder = not is_bundle(path) and discriminator.is_decoder(path)  # a bundle is always of an encoder
    if decoder != (config.kind == "decoder"):
        raise ConfigError(f"reward_model.kind: {config.kind}, but {str(path)!r} holds the other; change it")
    try:
        PairEncoder(path / "tokenizer.json", LONG)
    except ValueError as error:
        raise ConfigError(f"reward_model.path: {error}; give a reward model's folder") from None


def load(path: Path, option: str, fresh_head: bool = False) -> Discriminator:
    """The reward model of a checkpoint or a bundle. Raises `ConfigError` naming the option."""
    try:
        return model_of(path) if is_bundle(path) else discriminator.load(path, fresh_head)
    except (BundleError, ValueError) as error:
        raise ConfigError(f"{option}: {error}") from None


def located(config: RewardModelConfig) -> Path | None:
    """The folder that `path` means."""
    return default_bundles(EMBEDDED)[0] if config.path == Path("embedded") else config.path


def parameters(config: RewardModelConfig) -> int:
    """How many the model has: of `path` where that folder is at hand, else of the settings."""
    path = located(config)
    if path is not None and is_bundle(path):
        return discriminator.count(model_of(path))
    if path is not None and (path / "model.safetensors").is_file():
        with safe_open(path / "model.safetensors", "pt") as stored:
            return sum(math.prod(stored.get_slice(name).get_shape()) for name in stored.keys())  # noqa: SIM118
    with torch.device("meta"):
        return discriminator.count(untrained(config, config.vocab_size))


def untrained(config: RewardModelConfig, vocab_size: int) -> Discriminator:
    """A model of random weights; a decoder has as many parameters as the encoder of the same settings."""
    shape = longformer_shape(config, vocab_size)
    if config.kind == "encoder":
        return PackedLongformer(shape)
    with torch.device("meta"):
        parameters = discriminator.count(PackedLongformer(shape))
    return discriminator.decoder(
        vocab_size, config.hidden_size, config.layers, config.heads, config.max_tokens, parameters
    )


@torch.no_grad()
def attend_to_repetitions(model: PackedLongformer) -> None:
    """Initialises an untrained encoder so that tokens of the first layer attend to their other occurrences.

    Whether a demand is met turns on words that prompt and response share. From an ordinary start a small encoder stays
    at chance for hundreds of steps before it finds that (see docs/gapo.md); a pre-trained one knows it. As in
    mimetic initialisation (Trockman & Kolter 2023), words and positions get dimensions of their own; queries and keys
    of all heads but one agree on words and disagree on positions, so a token does not attend to itself.
    """
    hidden, heads = model.hidden, model.heads
    size, places = model.head_dim, model.hidden // 4
    words = hidden - places
    embeddings = model.longformer.embeddings
    embeddings.word_embeddings.weight.zero_()[:, :words].normal_()
    embeddings.position_embeddings.weight.zero_()[:, words:].normal_()
    first = cast(Any, model.longformer.encoder.layer[0]).attention.self
    for head in range(heads - 1):
        same_word = torch.empty(size, words).normal_(std=1.2 / math.sqrt(words))
        other_place = torch.empty(size, places).normal_(std=1.4 / math.sqrt(places))
        rows = slice(head * size, (head + 1) * size)
        first.query.weight[rows] = torch.cat([same_word, other_place], 1)
        first.key.weight[rows] = torch.cat([same_word, -other_place], 1)
