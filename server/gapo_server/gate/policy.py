"""Policies: what a response must keep, and what happens to one that does not. YAML files, or parts of requests."""

import hashlib
import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from gapo import policy_file
from gapo.v1.values import whole
from gapo_core.pairs import TruncationPolicy
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)

from gapo_server.checking.kwargs import Kwargs
from gapo_server.checking.service import MOST_CONSTRAINTS

Decision = Literal["allow", "review", "block"]
SEVERITY: tuple[Decision, ...] = ("allow", "review", "block")
INLINE = "inline_policy"
DEFAULT = "default"
"""The policy of requests that name none; a file default.yaml stands in for the built-in one."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{str(value)[:40]!r} is no number; write one from 0 to 1, such as 0.8")
    return value


Share = Annotated[float, BeforeValidator(_number), Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class Consequences(_Part):
    """What follows from a constraint's verdict; what is not given, the policy says for all."""

    violated: Decision | None = None
    unknown: Decision | None = None


class RequiredConstraint(Consequences):
    """A constraint of every response."""

    id: StrictStr = Field(description="family:name, such as length_constraints:number_words.")
    kwargs: Kwargs = Field(default={}, description="Its keyword arguments.")


class ScoreRule(_Part):
    """What follows from the reward model's probability that all constraints are kept."""

    model: StrictStr = Field(default="", description="A served model; empty means the default.")
    allow: Share = Field(description="Least probability that is allowed.")
    block: Share = Field(description="A probability below this is blocked; one between the two is reviewed.")
    truncation: TruncationPolicy = Field(
        default=TruncationPolicy.KEEP_BOTH_ENDS, description="For long pairs; `error` fails the request."
    )
    most_response_tokens: StrictInt | None = Field(
        default=None, gt=0, description="A response of more is `too_long`: say how long those are that the model knows."
    )
    too_long: Decision = Field(default="review", description="A longer response, or a pair of which tokens were cut.")

    @model_validator(mode="after")
    def _in_order(self) -> "ScoreRule":
        if self.block > self.allow:
            raise ValueError(f"block is {self.block}, above allow, {self.allow}; exchange them")
        return self


class Policy(_Part):
    """The decision on a response is the most severe of those below."""

    description: StrictStr = Field(default="", description="For people.")
    constraints: list[RequiredConstraint] = Field(
        default=[], max_length=MOST_CONSTRAINTS, description="Demanded of every response, whatever its prompt says."
    )
    from_prompt: StrictBool = Field(default=True, description="Also check what can be read from the prompt.")
    violated: Decision = Field(default="block", description="A constraint is violated.")
    unknown: Decision = Field(default="review", description="Nothing tells of a constraint.")
    unread: Decision = Field(
        default="review", description="No constraint was found in the prompt, and no model is asked."
    )
    exceptions: dict[StrictStr, Consequences] = Field(
        default={}, description="Of constraints by id (change_case:english_lowercase) or family (change_case)."
    )
    score: ScoreRule | None = Field(default=None, description="Left out, no model is asked.")
    empty: Decision = Field(default="block", description="A response without visible text.")

    @model_validator(mode="after")
    def _decides(self) -> "Policy":
        if not (self.from_prompt or self.constraints or self.score):
            raise ValueError("nothing is checked; give constraints or score, or leave from_prompt on")
        return self

    @property
    def names_constraints(self) -> bool:
        """Whether there is anything for `check_vocabulary`."""
        return bool(self.constraints or self.exceptions)

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits of what it says, in whatever order and by whatever protocol it came."""
        return hashlib.sha256(json.dumps(whole(self.model_dump()), sort_keys=True).encode()).hexdigest()[:12]


class PolicyError(ValueError):
    """A policy that cannot be; `field` reads like `score.allow`."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def made(values: Any) -> Policy:
    """A policy of plain values. Raises `PolicyError`. Whether its constraints can be, `check_vocabulary` says."""
    try:
        return Policy.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part[:100]}" for part in first["loc"])
        raise PolicyError(first["msg"].removeprefix("Value error, ")[:300], place.removeprefix(".")) from None


def check_vocabulary(policy: Policy) -> None:
    """Raises `PolicyError` for a constraint that cannot be, and for an exception to none."""
    from gapo_core.constraints import Constraint, ConstraintError  # here: a server without policies starts faster
    from gapo_core.constraints.registry import families

    for number, required in enumerate(policy.constraints):
        try:
            Constraint(required.id, required.kwargs)
        except ConstraintError as error:
            raise PolicyError(str(error), f"constraints[{number}]") from None
    known = {*families(), *(id.partition(":")[0] for id in families())}
    for name in policy.exceptions:
        if name not in known:
            near = get_close_matches(name[:100], known, 1)
            hint = f"; did you mean {near[0]!r}?" if near else "; docs/constraints.md lists them"
            raise PolicyError(f"{name[:100]!r} is neither a constraint's id nor a family{hint}", "exceptions")


def read_folder(folder: Path | None) -> Mapping[str, Policy]:
    """The policies of a folder's files by their names, and the built-in default where it has none of its own.

    Raises `ValueError` that names file, field and remedy: a server that starts serves what it was given.
    """
    policies = {DEFAULT: Policy(description="What rules can check: violated is blocked, unknown is reviewed.")}
    if folder is None:
        return policies
    if not folder.is_dir():
        raise ValueError(f"--policies: {folder} is no folder; put NAME.yaml files into one")
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in policy_file.SUFFIXES)
    if not files:
        raise ValueError(f"--policies: {folder} holds no NAME.yaml")
    read: dict[str, Policy] = {}
    for file in files:
        if not _NAME.fullmatch(file.stem):
            raise ValueError(f"{file}: a policy is named with up to 64 letters, digits and ._-; rename it")
        if file.stem == INLINE:
            raise ValueError(f"{file}: {INLINE} is what policies of requests are called; rename it")
        if file.stem in read:
            raise ValueError(f"{file}: there is a policy {file.stem!r} already; rename one")
        read[file.stem] = _read(file)
    return policies | read


def _read(file: Path) -> Policy:
    try:
        values = policy_file.read(file)
        if missing := [name for name, value in values.items() if value is None]:
            raise PolicyError("holds nothing; fill it in or take it out", missing[0])
        policy = made(values)
        check_vocabulary(policy)
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}; put files into the folder") from None
    except ValueError as error:
        field = getattr(error, "field", "")
        raise ValueError(f"{file}: {field}: {error}" if field else f"{file}: {error}") from None
    return policy
