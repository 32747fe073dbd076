"""OpenRLHF's `POST /get_reward` (`--reward.remote_url`): queries carry the actor's chat template."""

import re

from gapo_server.errors import InvalidInput
from gapo_server.rest.schemas import OpenRLHFBody

_ASSISTANT = re.compile(
    r"<\|im_start\|>assistant\n?|<\|start_header_id\|>assistant<\|end_header_id\|>\s*|<\|assistant\|>\n?|\[/INST\]"
)
_SPECIAL = re.compile(
    r"<\|im_start\|>(?:system|user|assistant)?\n?|<\|start_header_id\|>\w*<\|end_header_id\|>\s*"
    r"|<\|[a-z_]+\|>|</?s>|<pad>|\[PAD\]|\[/?INST\]"
)


def _plain(text: str) -> str:
    return _SPECIAL.sub("", text).strip()


def pairs(body: OpenRLHFBody) -> list[tuple[str, str]]:
    """Splits prompt from response by `prompts`, else at the last assistant marker. Raises `InvalidInput`."""
    if body.prompts is not None and len(body.prompts) != len(body.query):
        raise InvalidInput(f"has {len(body.prompts)} entries for {len(body.query)} queries", "prompts")
    found = []
    for number, query in enumerate(body.query):
        prompt = body.prompts[number] if body.prompts is not None else ""
        # Left padding stands before the prompt.
        start = query.find(prompt) if prompt else -1
        if start >= 0:
            found.append((_plain(prompt), _plain(query[start + len(prompt) :])))
            continue
        marks = list(_ASSISTANT.finditer(query))
        if not marks:
            raise InvalidInput(
                "prompt and response cannot be told apart; send `prompts`, each the beginning of its query",
                f"query[{number}]",
            )
        found.append((_plain(query[: marks[-1].start()]), _plain(query[marks[-1].end() :])))
    return found
