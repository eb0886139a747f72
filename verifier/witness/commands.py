"""`ecert-verify witness`: run a witness for somebody else's log."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import Exit

COULD_NOT = 2

State = Annotated[Path, typer.Option("--state", help="见证方的密钥与记忆 / the witness's key and memory")]
Name = Annotated[str, typer.Option("--name", help="见证方名称，如 witness.example/w1 / its name")]
Origin = Annotated[str, typer.Option("--origin", help="日志名称，如 verify.example.cn/log / the log's origin line")]
Keys = Annotated[Path, typer.Option("--keys", help="日志的公钥清单文件 / the log's published key set, a file")]


def witness_command(
    state: State,
    name: Name,
    origin: Origin,
    keys: Keys,
    host: Annotated[str, typer.Option("--host", help="监听地址 / address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="端口 / port")] = 8010,
    show_key: Annotated[bool, typer.Option("--show-key", help="只显示公钥 / print the public key and end")] = False,
) -> None:
    """见证日志：记住见过的最大日志，只联署其后续 / witness a log: cosign only what grew out of what was seen."""
    from verifier.witness.core import WitnessStateError
    from verifier.witness.serving import open_witness, serve

    try:
        core = open_witness(state, name, origin, keys)
    except WitnessStateError as error:
        sys.stderr.write(f"{error}\n")
        raise Exit(COULD_NOT) from error
    sys.stdout.write(f"{core.vkey}\n")
    sys.stdout.flush()
    if not show_key:
        raise Exit(serve(core, host, port))
