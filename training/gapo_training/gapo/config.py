"""Settings of a GAPO run: frozen dataclasses, one sentence a field, read from YAML and `key=value` changes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, TypeVar, get_type_hints

import yaml
from gapo_model.packed_longformer import LongformerShape

from gapo_training.warmup import WarmupConfig

PRESETS = Path(__file__).parent / "presets"
T = TypeVar("T")
LEAST = {  # settings that no run works with below 0, or below 1
    0: "stages sft.steps ppo.critic_layers data.held_out_within data.training data.preference_records",
    1: "max_prompt_tokens data.held_out data.most_attributes data.rm_pairs rollout.batch rollout.max_new_tokens "
    "generator.hidden_size generator.layers generator.heads generator.key_value_heads generator.intermediate_size "
    "reward_model.hidden_size reward_model.layers reward_model.heads reward_model.intermediate_size sft.rows "
    "sft.micro_batch sft.checkpoint_every ppo.rollouts ppo.group ppo.minibatch ppo.micro_batch reward_phase.samples "
    "reward_phase.epochs reward_phase.rows reward_phase.micro_batch reward_phase.capacity",
}
Wordings = Literal["plain", "many"]
Optimizer = Literal["adamw", "muon"]


class ConfigError(ValueError):
    """A setting that cannot be used; the message names the field and the remedy."""


@dataclass(frozen=True)
class DataConfig:
    """Which prompts are written for."""

    corpora: tuple[str, ...] = ("laptop", "tv")  # folders of rnnlg/
    held_out: int = 256  # prompts of the validation split that evaluation uses
    held_out_within: int = 0  # of them, those that stages between the first and the last are measured on; 0: all
    training: int = 0  # records of the training split that are used; 0 takes all
    most_attributes: int = 8  # prompts that ask for more are left out
    wordings: Wordings = "many"  # of prompts: a handful, or those of the reward model's warm-up
    rm_pairs: int = 256  # held-out preferential prompts that measure the reward model
    preference: Literal["prompt", "response"] = "prompt"  # two prompts of a response, or two responses of a prompt
    preference_records: int = 0  # training records that preferences are drawn from; 0 takes all


@dataclass(frozen=True)
class GeneratorConfig:
    """The policy. With `path` the shape is the checkpoint's; without, a Qwen2 of this shape starts untrained."""

    path: Path | None = None  # local Hugging Face folder; nothing is ever downloaded
    vocab_size: int = 2048  # byte-level BPE trained on the training prompts and texts
    hidden_size: int = 192
    layers: int = 4
    heads: int = 4
    key_value_heads: int = 4
    intermediate_size: int = 512
    tied_embeddings: bool = True
    max_positions: int = 512  # tokens of prompt and response together
    gradient_checkpointing: bool = False  # recompute activations: less memory, a third more time


@dataclass(frozen=True)
class SftConfig:
    """Supervised start of the generator: prompt -> the text that a person wrote. 0 steps leave it out."""

    steps: int = 1200
    rows: int = 32  # rows of one optimiser step
    exchanged: float = 0.0  # share of the rows whose values are exchanged, in prompt and text alike
    micro_batch: int = 8  # rows of one forward pass of one process; rows of like length go together
    optimizer: Optimizer = "adamw"  # muon: a small generator learns in two thirds of the steps
    learning_rate: float = 1e-3
    warmup_steps: int = 50
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    checkpoint_every: int = 200

    def for_processes(self, count: int, at_hand: int) -> None:
        """Raises `ConfigError` where a step's rows, of so many at hand, do not divide over `count` processes: one
        would make a forward pass more than another, and wait for it for ever."""
        rows = min(self.rows, at_hand)
        if self.steps and rows % count:
            raise ConfigError(f"sft.rows: {rows} rows of a step do not divide over {count} processes; use a multiple")


@dataclass(frozen=True)
class RewardModelConfig:
    """The packed Longformer. With `path` it starts from that checkpoint; without, from random weights."""

    kind: Literal["encoder", "decoder"] = "encoder"  # decoder: a Qwen2 of as many parameters, to compare with
    path: Path | None = None  # Longformer checkpoint or fp32 bundle; `embedded` is the bundle that the server brings
    vocab_size: int = 2048  # its own byte pairs; it never sees the generator's ids
    hidden_size: int = 128
    layers: int = 3
    heads: int = 4
    intermediate_size: int = 384
    window: int = 128  # tokens, both sides together
    max_tokens: int = 256
    dropout: float = 0.0


@dataclass(frozen=True)
class RolloutConfig:
    """How responses are sampled."""

    backend: Literal["hf", "vllm"] = "hf"
    url: str = ""  # of the vLLM server
    batch: int = 64  # rows that are generated together
    max_new_tokens: int = 64
    temperature: float = 1.0


@dataclass(frozen=True)
class RewardConfig:
    """Where scores come from during the PPO phase."""

    backend: Literal["module", "server"] = "module"
    url: str = ""  # of a running gapo server: http://… or grpc://…; its key comes from GAPO_API_KEY
    model: str = ""  # its name there; empty asks for the server's default
    clamp: float = 10.0  # raw logits are clamped to ± this


@dataclass(frozen=True)
class PpoConfig:
    """Proximal policy optimisation (Schulman et al. 2017) with a learned critic."""

    iterations: int = 2  # rollout batches of one stage
    rollouts: int = 256  # responses of one rollout batch, over all processes
    group: int = 1  # responses a prompt among them; above 1 a score counts by what it exceeds the others' mean
    exchanged: float = 0.0  # share of the prompts whose values come from other prompts: no text was written for them
    candidates: int = 1  # prompts sampled for each that is learned from: those whose scores differ most are kept
    epochs: int = 2  # passes of the actor over a rollout batch
    critic_layers: int = 0  # of the generator's, from the first, that the critic is made of; 0: all
    critic_epochs: int = 2  # of the critic, which takes more of them without harm (Cobbe et al. 2021, section 3.3)
    minibatch: int = 64  # rows of one optimiser step, over all processes
    micro_batch: int = 32  # rows of one forward pass of one process
    optimizer: Optimizer = "adamw"  # of the actor
    learning_rate: float = 1e-4
    critic_learning_rate: float = 3e-4
    weight_decay: float = 0.0
    clip_norm: float = 1.0
    clip: float = 0.2  # of the probability ratio
    value_clip: float = 0.2  # of the change of a value
    discount: float = 1.0
    gae_lambda: float = 0.95
    kl: float = 0.01  # reward lost per nat of log-ratio to the reference
    kl_target: float = 0.0  # nats a response; above 0 the coefficient adapts (Ziegler et al. 2019)
    kl_horizon: int = 10000  # responses over which it adapts
    kl_limit: float = 200.0  # mean nats a response; above it the run stops with a diagnosis
    unfinished_penalty: float = 5.0  # taken from the score of a response without an end token
    critic_warmup: int = 0  # first rollout batches of a run that train the critic alone
    warmup: int = 0  # rollout batches after those over which the actor's learning rate rises to its full value
    anneal: bool = False  # the actor's learning rate falls linearly towards 0 over the run


@dataclass(frozen=True)
class RewardPhaseConfig:
    """The adversarial phase of the reward model."""

    samples: int = 400  # rows of one phase, over all processes
    epochs: int = 2  # passes over them
    rows: int = 50  # rows of one optimiser step, over all processes
    micro_batch: int = 50  # rows of one forward pass of one process
    optimizer: Optimizer = "adamw"
    learning_rate: float = 1e-4
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    generated: float = 0.5  # share of the samples that are generator outputs; the count is logged
    labels: Literal["paper", "verified"] = "verified"  # paper: all 0; verified: rules decide
    balanced: bool = True  # positives and negatives weigh the same in the loss, whatever their numbers
    satisfied: Literal["positive", "omit"] = "positive"  # verified outputs that keep everything: label 1, or left out
    capacity: int = 4096  # generator outputs that the buffer keeps, newest first


@dataclass(frozen=True)
class GapoConfig:
    """One run."""

    seed: int = 0
    stages: int = 8  # A1 … An
    adversarial: bool = True  # False: PPO with the reward model of the warm-up, never updated
    model_name: str = "gapo-run"  # of the published bundles
    publish: bool = True  # export every stage's reward model
    mixed_precision: Literal["no", "bf16"] = "no"
    tracker: Literal["none", "wandb", "trackio"] = "none"  # beside TensorBoard, which is always written
    sharding: Literal["ddp", "fsdp2"] = "ddp"  # how several processes share the models that are trained
    max_prompt_tokens: int = 160  # generator tokens; a longer prompt stops the run
    data: DataConfig = field(default_factory=DataConfig)
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    sft: SftConfig = field(default_factory=SftConfig)
    reward_model: RewardModelConfig = field(default_factory=RewardModelConfig)
    warmup: WarmupConfig = field(default_factory=WarmupConfig)
    rollout: RolloutConfig = field(default_factory=RolloutConfig)
    reward: RewardConfig = field(default_factory=RewardConfig)
    ppo: PpoConfig = field(default_factory=PpoConfig)
    reward_phase: RewardPhaseConfig = field(default_factory=RewardPhaseConfig)

    def __post_init__(self) -> None:
        for least, name in ((least, name) for least, names in LEAST.items() for name in names.split()):
            if (number := attrgetter(name)(self)) < least:
                raise ConfigError(f"{name}: {number} is below {least}; use {least} or more")
        if self.ppo.critic_layers > self.generator.layers and self.generator.path is None:
            raise ConfigError(
                f"ppo.critic_layers: {self.ppo.critic_layers} of a generator of {self.generator.layers}; use 0 for all"
            )
        shapes = [(part, "hidden_size", "heads") for part in ("generator", "reward_model")]
        shapes.append(("generator", "heads", "key_value_heads"))
        for part, size, by in (
            ("ppo", "rollouts", "minibatch"),
            ("ppo", "rollouts", "group"),
            ("reward_phase", "samples", "rows"),
            *(shape for shape in shapes if getattr(self, shape[0]).path is None),
        ):
            whole, step = getattr(getattr(self, part), size), getattr(getattr(self, part), by)
            if whole % step:
                raise ConfigError(f"{part}.{size}: {whole} is not a multiple of {part}.{by} ({step})")
        if self.generator.path is None and self.generator.hidden_size // self.generator.heads % 2:
            raise ConfigError(
                f"generator.heads: {self.generator.heads} of generator.hidden_size={self.generator.hidden_size} have "
                "an odd number of dimensions each, which rotary positions cannot pair; use fewer or more heads"
            )
        for name, share in (
            ("reward_phase.generated", self.reward_phase.generated),
            ("sft.exchanged", self.sft.exchanged),
            ("ppo.exchanged", self.ppo.exchanged),
        ):
            if not 0 <= share <= 1:
                raise ConfigError(f"{name}: {share} is outside 0 … 1")
        if not self.rollout.temperature > 0:
            raise ConfigError(
                f"rollout.temperature: {self.rollout.temperature} samples nothing, and PPO learns from samples; use a "
                "number above 0, such as 0.5"
            )
        if self.reward_model.kind == "decoder" and self.publish:
            raise ConfigError("publish: only an encoder is exported; use publish=false with reward_model.kind=decoder")
        for name, optimizer in (("sft", self.sft.optimizer), ("ppo", self.ppo.optimizer)):
            if optimizer == "muon" and self.sharding == "fsdp2":
                raise ConfigError(f"{name}.optimizer: muon needs whole matrices; use adamw with sharding=fsdp2")
        if self.ppo.candidates < 1 or (self.ppo.candidates > 1 and self.ppo.group == 1):
            raise ConfigError(
                f"ppo.candidates: {self.ppo.candidates} with ppo.group={self.ppo.group}; prompts are chosen by how far "
                "the scores of their group differ, so use 1, or a ppo.group of 2 or more"
            )
        if self.rollout.backend == "vllm" and not self.rollout.url:
            raise ConfigError("rollout.url: is empty; name the vLLM server")
        if self.reward.backend == "server" and not self.reward.url:
            raise ConfigError("reward.url: is empty; name the running gapo server")
        if self.reward.backend == "server" and self.adversarial and not self.publish:
            raise ConfigError(
                "publish: a server scores with what stages publish; use publish=true or adversarial=false"
            )

    def for_processes(self, count: int) -> None:
        """Raises `ConfigError` where the work does not divide evenly over `count` processes."""
        for name, rows in (("ppo.minibatch", self.ppo.minibatch), ("reward_phase.rows", self.reward_phase.rows)):
            if rows % count:
                raise ConfigError(f"{name}: {rows} does not divide over {count} processes; use a multiple")
        self.sft.for_processes(count, self.sft.rows)
        try:
            self.warmup.for_processes(count)
        except ValueError as error:
            raise ConfigError(f"warmup.{error}") from None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as the run's config.yaml holds them."""
        return plain(self)


def longformer_shape(config: RewardModelConfig, vocab_size: int) -> LongformerShape:
    """The reward model's shape; padding is token 0 as in BERT's vocabularies."""
    return LongformerShape(
        vocab_size=vocab_size,
        hidden_size=config.hidden_size,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        intermediate_size=config.intermediate_size,
        attention_window=(config.window,) * config.layers,
        max_position_embeddings=config.max_tokens + 1,
        pad_token_id=0,
        hidden_dropout_prob=config.dropout,
    )


def read(source: str | Path, changes: Sequence[str] = ()) -> GapoConfig:
    """A preset's name or a YAML file, with `a.b=value` changes. Raises `ConfigError`."""
    file = PRESETS / f"{source}.yaml"
    file = file if file.exists() else Path(source)
    if not file.is_file():
        known = ", ".join(sorted(p.stem for p in PRESETS.glob("*.yaml")))
        raise ConfigError(f"config: {str(source)!r} is neither a preset ({known}) nor a file")
    return from_mapping(GapoConfig, changed(settings_of(file), changes))


def settings_of(file: Path) -> dict[str, Any]:
    """What a YAML file holds; nothing where it is empty. Raises `ConfigError`."""
    found = _parsed(file.read_text(encoding="utf-8"), str(file))
    if not isinstance(found, dict | None):
        raise ConfigError(f"{file}: holds no settings; write one 'name: value' a line")
    return found or {}


def _parsed(text: str, where: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: is no YAML ({' '.join(str(error).split())})") from None


def changed(settings: dict[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """The settings after `a.b=value` changes, made in place. Raises `ConfigError`."""
    for change in changes:
        key, separator, value = change.partition("=")
        if not separator:
            raise ConfigError(f"--set {change!r}: write key=value")
        place = settings
        *outer, last = key.split(".")
        for part in outer:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise ConfigError(f"{key}: {part} has no parts")
        place[last] = _parsed(value, key)
    return settings


def from_mapping(kind: type[T], values: Mapping[str, Any], path: str = "") -> T:
    """Builds a dataclass of settings. Raises `ConfigError` for unknown names and wrong types."""
    hints = get_type_hints(kind)
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    given: dict[str, Any] = {}
    for name, value in values.items():
        where = f"{path}{name}"
        if name not in known:
            raise ConfigError(f"{where}: is not a setting; known are {', '.join(sorted(known))}")
        hint = hints[name]
        if is_dataclass(hint) and isinstance(hint, type):
            if not isinstance(value, Mapping):
                raise ConfigError(f"{where}: has parts; write {where}.NAME=value")
            given[name] = from_mapping(hint, value, f"{where}.")
        else:
            given[name] = _value(hint, value, where)
    try:
        return kind(**given)
    except ConfigError:
        raise
    except ValueError as error:  # of a part, which does not know where it stands
        raise ConfigError(f"{path}{error}") from None


def _value(hint: Any, value: Any, where: str) -> Any:
    choices = getattr(hint, "__args__", ())
    if str(hint).startswith("typing.Literal"):
        value = "no" if value is False and "no" in choices else value  # YAML reads a bare `no` as false
        if value not in choices:
            raise ConfigError(f"{where}: {value!r} is none of {', '.join(choices)}")
        return value
    if hint is Path and isinstance(value, str | Path):
        return Path(value)
    if hint == (Path | None) and isinstance(value, str | Path | None):
        return None if value is None else Path(value)
    if getattr(hint, "__origin__", None) is tuple:
        names = [value] if isinstance(value, str) else value
        if not (isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)):
            raise ConfigError(f"{where}: {value!r} is no list of names; write [one, another]")
        return tuple(names)
    if hint is float and isinstance(value, str):  # YAML reads 1e-4, without a dot, as text
        try:
            return float(value)
        except ValueError:
            raise ConfigError(f"{where}: {value!r} is not a number") from None
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise ConfigError(f"{where}: {value!r} is not of type {getattr(hint, '__name__', hint)}")
    return value


def plain(settings: Any) -> dict[str, Any]:
    """A dataclass of settings as values that YAML writes."""
    return {name: _plain(value) for name, value in asdict(settings).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, Path) else value
