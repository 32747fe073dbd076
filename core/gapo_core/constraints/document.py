"""A response with its words, sentences, lines and paragraphs, each computed once for all constraints."""

from dataclasses import dataclass
from functools import cached_property, lru_cache


@dataclass(frozen=True)
class Document:
    """`text` is never changed; every span counts its characters."""

    text: str

    @staticmethod
    @lru_cache(maxsize=256)
    def of(text: str) -> "Document":
        """The document of a text; many constraints check the same response."""
        return Document(text)

    @cached_property
    def lower(self) -> str:
        return self.text.lower()


def relaxed(response: str) -> list[str]:
    """IFEval's loose protocol: without the first line, the last, both; each also without asterisks."""
    lines = response.split("\n")
    forms = [
        response,
        "\n".join(lines[1:]).strip(),
        "\n".join(lines[:-1]).strip(),
        "\n".join(lines[1:-1]).strip(),
    ]
    return forms + [form.replace("*", "") for form in forms]
