"""`ecert audit` and `ecert-verify audit`: exit 0 all agree, 1 something disagrees, 2 could not be determined."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import Exit

ServerUrl = Annotated[str | None, typer.Option("--server", help="审计这个查验网站 / audit this verifier, https://…")]
Mirror = Annotated[Path | None, typer.Option("--folder", help="审计网站文件的镜像 / audit a mirror of its files")]
Remembered = Annotated[
    Path | None,
    typer.Option("--memory", help="审计记忆的文件夹，应由审计方保管 / what the auditor remembers; keep it yourself"),
]
Known = Annotated[
    list[Path] | None, typer.Option("--checkpoint", help="他人保存的日志检查点 / a checkpoint somebody else kept")
]
Held = Annotated[
    Path | None,
    typer.Option("--held", help="所持证书：每行一个查验码或二维码内容 / certificates held, one code a line"),
]
KeysFile = Annotated[
    Path | None, typer.Option("--keys", help="自行保管的公钥清单 / a key set you keep, not the one served")
]
Tolerance = Annotated[int, typer.Option("--tolerance", min=0, help="容许迟到的分钟数 / minutes an entry may be late")]
WitnessKey = Annotated[
    list[str] | None,
    typer.Option("--witness", help="见证方公钥 / key of a witness whose signature counts"),
]
DataDir = Annotated[
    Path,
    typer.Option("--data-dir", envvar="ECERT_DATA_DIR", help="数据目录 / data folder", show_default="./ecert-data"),
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON / machine-readable output")]


def audit_command(
    server: ServerUrl = None,
    folder: Mirror = None,
    memory: Remembered = None,
    checkpoint: Known = None,
    held: Held = None,
    keys: KeysFile = None,
    tolerance: Tolerance = 60,
    witness: WitnessKey = None,
    data_dir: DataDir = Path("ecert-data"),
    as_json: AsJson = False,
) -> None:
    """从外部审计：日志、状态清单与登记是否一致、只增不改 / audit from outside: do log, lists and register agree?"""
    from verifier.audit.running import Asked, run_audit

    known, witnesses = tuple(checkpoint or ()), tuple(witness or ())
    asked = Asked(server, folder, memory, known, held, keys, tolerance, witnesses, data_dir, as_json)
    raise Exit(run_audit(asked))


def beside_subcommands(command: Callable[..., None]) -> Callable[..., None]:
    """The same command for a group that has subcommands too: it runs when none of them is named."""

    @functools.wraps(command)
    def run(ctx: typer.Context, **options: Any) -> None:
        if ctx.invoked_subcommand is None:
            command(**options)

    own = inspect.signature(command)
    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    run.__signature__ = own.replace(parameters=[context, *own.parameters.values()])  # type: ignore[attr-defined]
    run.__annotations__ = {"ctx": typer.Context, **command.__annotations__}
    return run
