"""IFEval's accuracies (Zhou et al. 2023, arXiv 2311.07911) of responses to prompts in IFEval's layout, which is also
IFBench's: prompt level (every instruction followed) and instruction level, strict and loose."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from gapo_core.constraints import Constraint
from gapo_core.constraints.types import Mode

from gapo_training.judges import rows

Protocol = Literal["strict", "loose", "person"]
# `strict` and `loose` are IFEval's protocols with the reference's defects, so that published numbers compare;
# `person` is what this project's own strict mode says.
MODES: dict[Protocol, Mode] = {"strict": "compat", "loose": "compat_loose", "person": "strict"}


@dataclass(frozen=True)
class Prompt:
    """`key` is text: IFEval numbers its prompts, IFBench writes the numbers as text."""

    key: str
    text: str
    constraints: tuple[Constraint, ...]


def read_prompts(file: Path) -> list[Prompt]:
    """Rows with `key`, `prompt`, `instruction_id_list` and `kwargs`. Raises `ValueError` naming the line."""
    found: dict[str, Prompt] = {}
    for where, row in rows.read(file, ("key", "prompt", "instruction_id_list", "kwargs")):
        key = str(row["key"])
        if key in found:
            raise ValueError(f"{where}: key: {key} stands twice")
        ids, kwargs = row["instruction_id_list"], row["kwargs"]
        if not isinstance(ids, list) or not ids or not isinstance(kwargs, list):
            raise ValueError(f"{where}: instruction_id_list and kwargs are lists, of one instruction or more")
        try:
            constraints = Constraint.from_ifeval(ids, kwargs)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{where}: {error}") from None
        found[key] = Prompt(key, rows.text(row, "prompt", where), constraints)
    if not found:
        raise ValueError(f"{file}: holds no prompts")
    return list(found.values())


@dataclass(frozen=True)
class Answers:
    """Responses by prompt key. `ignored` answer no prompt; `reworded` are keys whose prompt was another text."""

    responses: dict[str, str]
    ignored: int = 0
    reworded: tuple[str, ...] = ()


def read_answers(file: Path, prompts: Sequence[Prompt]) -> Answers:
    """Rows with `response` and `key`, or `prompt` where there is no key. Raises `ValueError` naming the line."""
    by_key = {prompt.key: prompt for prompt in prompts}
    by_text = {prompt.text: prompt for prompt in prompts}
    found: dict[str, str] = {}
    ignored, reworded = 0, []
    for where, row in rows.read(file, ("response",)):
        if "key" not in row and "prompt" not in row:
            raise ValueError(f"{where}: has neither key nor prompt; one must say what is answered")
        prompt = by_key.get(str(row["key"])) if "key" in row else by_text.get(rows.text(row, "prompt", where))
        if prompt is None:
            ignored += 1
            continue
        if prompt.key in found:
            raise ValueError(f"{where}: prompt {prompt.key} is answered twice; keep one response")
        found[prompt.key] = rows.text(row, "response", where)
        if row.get("prompt", prompt.text) != prompt.text:
            reworded.append(prompt.key)
    if not found:
        raise ValueError(f"{file}: answers none of the {len(prompts)} prompts; do key or prompt agree with --prompts?")
    return Answers(found, ignored, tuple(reworded))


@dataclass
class Tally:
    """How many of `total` were followed, under each protocol."""

    total: int = 0
    followed: Counter[Protocol] = field(default_factory=Counter)

    def add(self, verdicts: Mapping[Protocol, bool]) -> None:
        self.total += 1
        self.followed.update(name for name, verdict in verdicts.items() if verdict)

    def share(self, protocol: Protocol) -> float:
        return self.followed[protocol] / self.total

    def as_json(self) -> dict[str, float]:
        return {"total": self.total, **{name: self.share(name) for name in MODES}}


@dataclass
class Report:
    """`verdicts` holds each answered prompt's verdicts, position by position, in the prompts' order."""

    prompts: Tally = field(default_factory=Tally)
    instructions: Tally = field(default_factory=Tally)
    ids: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    unanswered: list[str] = field(default_factory=list)
    undecided: int = 0  # instructions that no honest rule decides; the person's protocol counts them as not followed
    verdicts: dict[str, dict[Protocol, list[bool]]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The summary: shares are of answered prompts and of their instructions."""
        return {
            "prompt_level": self.prompts.as_json(),
            "instruction_level": self.instructions.as_json(),
            "ids": {id: tally.as_json() for id, tally in sorted(self.ids.items())},
            "unanswered": self.unanswered,
            "undecided": self.undecided,
        }


def evaluate(
    prompts: Sequence[Prompt],
    responses: Mapping[str, str],
    shown: Callable[[Sequence[Prompt]], Iterable[Prompt]] = lambda prompts: prompts,
) -> Report:
    """Checks the response of every answered prompt; `shown` may wrap the prompts in a progress bar."""
    report = Report(unanswered=[prompt.key for prompt in prompts if prompt.key not in responses])
    for prompt in shown([prompt for prompt in prompts if prompt.key in responses]):
        response = responses[prompt.key]
        found: dict[Protocol, list[bool]] = {}
        for name, mode in MODES.items():
            statuses = [c.check(response, prompt=prompt.text, mode=mode).status for c in prompt.constraints]
            found[name] = [status == "satisfied" for status in statuses]
            report.undecided += statuses.count("unknown") if name == "person" else 0
        report.verdicts[prompt.key] = found
        report.prompts.add({name: all(verdicts) for name, verdicts in found.items()})
        for place, constraint in enumerate(prompt.constraints):
            verdicts = {name: found[name][place] for name in MODES}
            report.instructions.add(verdicts)
            report.ids[constraint.id].add(verdicts)
    return report
