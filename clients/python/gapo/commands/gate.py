"""`gapo gate`."""

from pathlib import Path
from typing import Annotated

import typer

from gapo import policy_file
from gapo.aio import AsyncClient
from gapo.commands import asking, options
from gapo.commands.whole_file import OnError, Work
from gapo.gates import GateResult, PolicyOrName

EXITS = {"allow": 0, "block": 3, "review": 4}


def read(policy: str, url: str | None) -> PolicyOrName:
    """The policy of a file, or the name of one at `url`. Raises `typer.BadParameter`."""
    file = Path(policy)
    if file.suffix.lower() not in policy_file.SUFFIXES:
        if policy and url is None:
            raise typer.BadParameter(
                f"--policy: {policy!r} is no file NAME.yaml; names are those of a server, at --url"
            )
        return policy
    try:
        return policy_file.read(file)
    except OSError as error:
        raise typer.BadParameter(f"--policy: {policy}: {error.strerror}") from None
    except ValueError as error:
        raise typer.BadParameter(f"--policy: {policy}: {error}") from None


def shown(found: GateResult) -> str:
    reasons = [f"  {reason.decision}: {reason.message}" for reason in found.reasons]
    score = [f"  probability {found.score.probability:.4f}"] if found.score else []
    return "\n".join([found.decision, *reasons, *score])


def register(app: typer.Typer) -> None:
    @app.command()
    def gate(
        prompt: options.Prompt = None,
        response: options.Response = None,
        input: options.Input = None,
        output: options.Output = "-",
        policy: Annotated[
            str,
            typer.Option(
                envvar="GAPO_POLICY", help="A YAML file, or with --url a policy of the server by name; none: default."
            ),
        ] = "",
        url: options.Url = None,
        bundle: options.Bundle = None,
        api_key: options.ApiKey = None,
        on_error: options.AtErrors = OnError.STOP,
        errors: options.Errors = None,
        resume: options.Resume = False,
        force: options.Force = False,
        timeout: options.Timeout = 60.0,
        retries: options.Retries = 4,
        as_json: options.AsJson = False,
    ) -> None:
        """Decide whether a response may be shown, by rules and the reward model under a policy.

        Exit status of one pair: 0 allow, 3 block, 4 review. Of a JSONL file (--input, --output): 0, also where
        --on-error skip has set lines apart; the summary counts them.
        """
        wanted = read(policy, url)

        def work(client: AsyncClient) -> Work:
            return Work(
                "gating",
                lambda pairs: client.gate_batch(pairs, policy=wanted),
                tuple(EXITS),
                lambda found: found.decision,
            )

        files = asking.Files(input, output, errors, on_error, resume, force)
        place = asking.Place(url, bundle, api_key, timeout, retries)
        found = asking.run(prompt, response, files, place, as_json, work, shown)
        if found is not None:
            raise typer.Exit(EXITS[found.decision])
