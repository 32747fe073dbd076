"""Families of constraints by id; users add theirs through the entry-point group `gapo.constraints`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from random import Random
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gapo_core.constraints.document import Document, relaxed
from gapo_core.constraints.relations import listed, quoted

if TYPE_CHECKING:
    from gapo_core.constraints.types import Constraint, Mode, Verdict


class ConstraintError(ValueError):
    """A constraint that cannot exist; the message names the id or the keyword argument and the remedy."""


class Kwargs(BaseModel):
    """Base of every family's keyword arguments; give each field a type, bounds and a description."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Phrase = Annotated[str, Field(pattern=r"\S", description="a text that is not blank")]


class NoKwargs(Kwargs):
    """A constraint that takes no keyword arguments."""


K = TypeVar("K", bound=Kwargs)


class Family(ABC, Generic[K]):
    """One constraint id. Subclass, set the class variables, write `judge` and the samplers, and `register`."""

    id: ClassVar[str]
    kwargs: type[K]
    phrasings: ClassVar[tuple[str, ...]]  # str.format templates over `wording`, each a whole sentence
    quotes: ClassVar[tuple[str, ...]] = ()  # keyword arguments, texts, that phrasings put in quotation marks
    example: ClassVar[str] = "{}"  # keyword arguments as JSON, for help, documentation and property tests

    @abstractmethod
    def judge(self, document: Document, kwargs: K, prompt: str | None) -> "Verdict":
        """The strict verdict."""

    def compat(self, response: str, kwargs: K) -> bool:
        """The reference checker's verdict, defects included; by default the strict one."""
        return self.check(response, kwargs, None, "strict").status == "satisfied"

    @abstractmethod
    def satisfy(self, response: str, kwargs: K, rng: Random) -> Mapping[str, Any] | None:
        """Keyword arguments under which the response satisfies (strict); None where there are none."""

    @abstractmethod
    def violate(self, response: str, kwargs: K, rng: Random) -> Mapping[str, Any] | None:
        """Keyword arguments under which the response violates (strict); None where there are none."""

    def requires(self, kwargs: K) -> tuple[str, ...]:
        """Texts that every satisfying response holds, such as an end phrase."""
        return ()

    def forbids(self, text: str, kwargs: K) -> bool:
        """Whether a response that holds `text` anywhere must violate."""
        return False

    def conflicts(self, this: "Constraint", other: "Constraint") -> bool:
        """Whether `this`, of this family, and `other`, of any, exclude each other. By default: whether `this`
        forbids a text that `other` requires."""
        return any(self.forbids(text, this._kwargs) for text in other.required)

    def validate(self, kwargs: Mapping[str, Any]) -> K:
        """Raises `ConstraintError` that names the keyword argument."""
        try:
            return self.kwargs.model_validate(dict(kwargs))
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"])) or "kwargs"
            known = ", ".join(field.alias or name for name, field in self.kwargs.model_fields.items()) or "none"
            raise ConstraintError(f"{self.id}: {name}: {first['msg']}; its keyword arguments are: {known}") from None

    def check(self, response: str, kwargs: K, prompt: str | None, mode: "Mode") -> "Verdict":
        from gapo_core.constraints.types import Verdict

        if mode == "strict":
            return self.judge(Document.of(response), kwargs, prompt)
        forms = relaxed(response) if mode == "compat_loose" else [response]
        # The reference counts an empty response as violating, whatever the constraint.
        kept = any(form.strip() and self.compat(form, kwargs) for form in forms)
        return Verdict("satisfied" if kept else "violated", "the reference checker's verdict")

    def wording(self, kwargs: K) -> Mapping[str, object]:
        """What the phrasings may name: the keyword arguments, lists as "a, b and c", those of `quotes` quoted."""
        worded: dict[str, object] = {}
        for name, value in kwargs.model_dump().items():
            if name in self.quotes:
                value = tuple(map(quoted, value)) if isinstance(value, tuple) else quoted(value)
            worded[name] = listed(value) if isinstance(value, tuple) else value
        return worded

    def render(self, kwargs: K, style: "int | Random") -> str:
        choice = style.randrange(len(self.phrasings)) if isinstance(style, Random) else style % len(self.phrasings)
        return self.phrasings[choice].format(**self.wording(kwargs))


class Plain(Family[NoKwargs]):
    """A family without keyword arguments: its only constraint is satisfied by a response or violated."""

    kwargs = NoKwargs

    def satisfy(self, response: str, kwargs: NoKwargs, rng: Random) -> Mapping[str, Any] | None:
        return {} if self.judge(Document.of(response), kwargs, None).status == "satisfied" else None

    def violate(self, response: str, kwargs: NoKwargs, rng: Random) -> Mapping[str, Any] | None:
        return {} if self.judge(Document.of(response), kwargs, None).status == "violated" else None


ENTRY_POINTS = "gapo.constraints"
_BUILT_IN = "gapo_core.constraints.families"
_families: dict[str, Family[Any]] = {}
_loaded = False


def register(*families: Family[Any]) -> None:
    """Adds families. Raises `ConstraintError` when an id is taken."""
    for family in families:
        if family.id in _families:
            raise ConstraintError(f"{family.id}: two families claim this id")
        _families[family.id] = family


def family(id: str) -> Family[Any]:
    """The family of an id. Raises `ConstraintError` for an unknown one, naming the nearest known."""
    found = families().get(id)
    if found is None:
        shown = str(id)[:100]
        near = get_close_matches(shown, _families, 1)
        raise ConstraintError(f"{shown!r} is not a known constraint" + (f"; did you mean {near[0]!r}?" if near else ""))
    return found


def families() -> Mapping[str, Family[Any]]:
    """All families by id, built-in ones and those of installed packages."""
    global _loaded
    if not _loaded:
        import_module(_BUILT_IN)
        _loaded = True
        for point in entry_points(group=ENTRY_POINTS):
            point.load()  # the module registers its families when it is imported
    return _families
