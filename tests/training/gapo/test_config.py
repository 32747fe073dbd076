"""Settings, presets and the plan."""

import pytest
import yaml
from gapo_training.gapo import config, plan
from gapo_training.gapo.config import ConfigError, GapoConfig


@pytest.mark.parametrize("preset", ["laptop", "smoke", "study", "paper"])
def test_a_preset_is_read_and_comes_back_from_what_a_run_writes(preset, tmp_path) -> None:
    settings = config.read(preset)
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(settings.as_dict()), encoding="utf-8")
    assert config.read(file) == settings


def test_changes_reach_parts_and_numbers_without_a_dot() -> None:
    changes = ["ppo.learning_rate=1e-5", "stages=3", "reward_phase.labels=paper", "generator.path=/tmp/x"]
    settings = config.read("smoke", changes)
    assert (settings.ppo.learning_rate, settings.stages, settings.reward_phase.labels) == (1e-5, 3, "paper")
    assert str(settings.generator.path) == "/tmp/x"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("ppo.lr=1", r"ppo\.lr: is not a setting; known are .*learning_rate"),
        ("stages", "write key=value"),
        ("stages=many", r"stages: 'many' is not of type int"),
        ("stages.x=1", "stages has no parts"),
        ("ppo=1", r"ppo: has parts; write ppo\.NAME=value"),
        ("ppo.kl=high", r"ppo\.kl: 'high' is not a number"),
        ("reward_phase.labels=none of them", r"reward_phase\.labels: .* is none of paper, verified"),
        ("ppo.minibatch=3", r"ppo\.rollouts: 8 is not a multiple of ppo\.minibatch \(3\)"),
        ("ppo.group=3", r"ppo\.rollouts: 8 is not a multiple of ppo\.group \(3\)"),
        ("ppo.critic_layers=-1", r"ppo\.critic_layers: -1 is below 0"),
        ("ppo.critic_layers=3", r"ppo\.critic_layers: 3 of a generator of 2; use 0 for all"),
        ("ppo.kl=[", r"ppo\.kl: is no YAML \("),
        ("sft.checkpoint_every=0", r"sft\.checkpoint_every: 0 is below 1"),
        ("warmup.pairs_per_step=0", r"warmup\.pairs_per_step: 0 is below 1"),
        ("ppo.minibatch=0", r"ppo\.minibatch: 0 is below 1"),
        ("reward_phase.rows=0", r"reward_phase\.rows: 0 is below 1"),
        ("data.held_out_within=-1", r"data\.held_out_within: -1 is below 0"),
        ("data.held_out=0", r"data\.held_out: 0 is below 1; use 1 or more"),
        ("data.rm_pairs=0", r"data\.rm_pairs: 0 is below 1"),
        ("ppo.rollouts=0", r"ppo\.rollouts: 0 is below 1"),
        ("ppo.group=0", r"ppo\.group: 0 is below 1"),
        ("ppo.candidates=0", r"ppo\.candidates: 0 with ppo\.group=1; .* use 1"),
        ("rollout.batch=0", r"rollout\.batch: 0 is below 1"),
        ("rollout.max_new_tokens=0", r"rollout\.max_new_tokens: 0 is below 1"),
        ("rollout.temperature=0", r"rollout\.temperature: 0\.0 samples nothing, .* use a number above 0"),
        ("rollout.temperature=-1", r"rollout\.temperature: -1\.0 samples nothing"),
        ("reward_phase.capacity=0", r"reward_phase\.capacity: 0 is below 1"),
        ("generator.heads=0", r"generator\.heads: 0 is below 1"),
        ("generator.heads=3", r"generator\.hidden_size: 32 is not a multiple of generator\.heads \(3\)"),
        ("generator.heads=32", r"generator\.heads: 32 of generator\.hidden_size=32 have an odd number"),
        ("generator.key_value_heads=3", r"generator\.heads: 2 is not a multiple of generator\.key_value_heads \(3\)"),
        ("reward_model.heads=3", r"reward_model\.hidden_size: 32 is not a multiple of reward_model\.heads \(3\)"),
        ("sft.exchanged=-0.1", r"sft\.exchanged: -0\.1 is outside 0"),
        ("ppo.exchanged=1.5", r"ppo\.exchanged: 1\.5 is outside 0"),
        ("ppo.candidates=2", r"ppo\.candidates: 2 with ppo\.group=1"),
        ("reward_phase.generated=1.5", r"reward_phase\.generated: 1\.5 is outside"),
        ("data.corpora=5", r"data\.corpora: 5 is no list of names; write \[one, another\]"),
        ("data.corpora=[1]", r"data\.corpora: \[1\] is no list of names"),
        ("generator.path=5", r"generator\.path: 5 is not of type pathlib\.Path \| None"),
        ("rollout.backend=vllm", r"rollout\.url: is empty"),
        ("reward.backend=server", r"reward\.url: is empty"),
    ],
)
def test_a_wrong_setting_is_named_with_the_remedy(change, message) -> None:
    with pytest.raises(ConfigError, match=message):
        config.read("smoke", [change])


def test_a_shape_that_a_checkpoint_brings_is_not_asked_to_divide() -> None:
    assert config.read("smoke", ["generator.path=x", "generator.heads=3"]).generator.heads == 3


@pytest.mark.parametrize("part", ["sft", "ppo"])
def test_muon_is_refused_where_matrices_are_sharded(part) -> None:
    with pytest.raises(ConfigError, match=rf"{part}\.optimizer: muon needs whole matrices"):
        config.read("smoke", ["sharding=fsdp2", f"{part}.optimizer=muon"])


@pytest.mark.parametrize(("text", "message"), [("a: [", "is no YAML"), ("- 1", "holds no settings")])
def test_a_file_of_something_else_is_named(tmp_path, text, message) -> None:
    (tmp_path / "run.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"run\.yaml: {message}"):
        config.read(str(tmp_path / "run.yaml"))


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"neither a preset \(laptop, paper, smoke, study\)"):
        config.read("desktop")


def test_work_that_does_not_divide_over_processes_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"ppo\.minibatch: 4 does not divide over 3 processes"):
        config.read("smoke").for_processes(3)
    for rows in (1, 9):
        with pytest.raises(
            ConfigError, match=rf"sft\.rows: {rows} rows of a step do not divide over 2 processes; use a"
        ):
            config.read("smoke", [f"sft.rows={rows}"]).for_processes(2)
    config.read("smoke", ["sft.rows=1", "sft.steps=0"]).for_processes(2)
    with pytest.raises(ConfigError, match=r"warmup\.pairs_per_step: 1 leave some of 4 processes no row"):
        config.read("smoke", ["warmup.pairs_per_step=1"]).for_processes(4)


def test_the_papers_shapes_have_the_published_sizes() -> None:
    """7,615,616,512 parameters are Qwen2.5-7B's, 152,064 x 3,584 of them its output layer, in whose place the critic
    has 3,585; 434,600,961 are Longformer-Large's with a one-label head."""
    assert plan.parameters(config.read("paper")) == {
        "generator": 7_615_616_512,
        "critic": 7_615_616_512 - 152_064 * 3_584 + 3_585,
        "reward_model": 434_600_961,
    }


def test_the_plan_names_phases_labels_and_memory_that_eight_gpus_of_80_gib_hold() -> None:
    settings = config.read("paper")
    text = plan.describe(settings)
    assert "15 stages" in text
    assert "labels: paper" in text
    assert plan.memory(settings).per_process(8) < 80 * plan.GIB
    alone = plan.memory(config.read("paper", ["sharding=ddp"]))
    assert alone.per_process(8) == alone.per_process(1) > plan.memory(settings).per_process(8)


def test_the_estimate_of_trained_weights_is_what_torch_holds(corpus_folder) -> None:
    from gapo_training.gapo import generator

    settings = config.read("smoke")
    model, _ = generator.build(settings.generator, ["a text", "another"], 0)
    held = sum(p.numel() for p in model.parameters())
    shape = config.GeneratorConfig(**{**settings.as_dict()["generator"], "vocab_size": model.config.vocab_size})
    assert plan.parameters(GapoConfig(generator=shape))["generator"] == held
