"""Commands of one member of staff: the options all of them have, the context and actor behind them, their answer."""

import functools
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from issuer.commands import DEFAULT_DATA_DIR, ActingAs, AsJson, DataDir, cli_actor, cli_context, print_json, say

if TYPE_CHECKING:
    from issuer.access.actor import Actor
    from issuer.context import Context

_KEYWORD = inspect.Parameter.KEYWORD_ONLY
_OPTIONS = (
    inspect.Parameter("data_dir", _KEYWORD, default=DEFAULT_DATA_DIR, annotation=DataDir),
    inspect.Parameter("acting_as", _KEYWORD, default=None, annotation=ActingAs),
    inspect.Parameter("as_json", _KEYWORD, default=False, annotation=AsJson),
)


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts, on which data folder, and whether a program reads the answer. Good while the command runs."""

    ctx: "Context"
    actor: "Actor"
    as_json: bool

    def tell(self, body: Any, lines: str | Iterable[str]) -> None:
        """The answer: `body` as JSON for a program, the line or lines for a person."""
        if self.as_json:
            print_json(body)
            return
        for line in (lines,) if isinstance(lines, str) else lines:
            say(line)


def acting(command: Callable[..., None]) -> Callable[..., None]:
    """A command that is given an `Acting` first, with --data-dir, --as and --json added to its own options.

    Raises what `cli_context` and `cli_actor` raise, before the command begins.
    """
    _, *own = inspect.signature(command, eval_str=True).parameters.values()

    @functools.wraps(command)
    def run(*, data_dir: Path, acting_as: str | None, as_json: bool, **arguments: Any) -> None:
        with cli_context(data_dir) as ctx:
            command(Acting(ctx, cli_actor(ctx, acting_as), as_json), **arguments)

    parameters = (*own, *_OPTIONS)
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run
