"""`ecert demo`."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from issuer.commands import AsJson, cli_settings, print_json, progress, say

DEFAULT_FOLDER = Path("ecert-demo")


def demo(
    people: Annotated[int, typer.Option("--people", help="示例考生人数 / number of invented people")] = 200,
    data_dir: Annotated[
        Path, typer.Option("--data-dir", envvar="ECERT_DEMO_DIR", help="数据目录 / data folder")
    ] = DEFAULT_FOLDER,
    serve: Annotated[bool, typer.Option(help="结束后启动服务 / serve it afterwards")] = True,
    workers: Annotated[int, typer.Option("--workers", help="进程数，0 为每核一个 / processes, 0: one per core")] = 0,
    port: Annotated[int, typer.Option("--port", help="端口 / port to serve on")] = 8000,
    as_json: AsJson = False,
) -> None:
    """从零演示：名单、两轮核查、制发、核验、认定无效 / a whole example from nothing, then serve it."""
    from issuer.demo.service import run_demo

    settings = cli_settings(data_dir)
    if settings.verify_base_url == "http://127.0.0.1:8000" and port != 8000:
        settings = settings.model_copy(update={"verify_base_url": f"http://127.0.0.1:{port}"})
    with progress("制发证书 / issuing", people, quiet=as_json) as show:
        result = run_demo(
            settings, people, workers, lambda _: None if as_json else say(_), lambda done, _total: show(done)
        )
    summary = result.summary
    if as_json:
        print_json(summary)
    else:
        _tell(result.summary_path, summary, result.passwords, settings.verify_base_url)
    if serve and not as_json:
        from issuer.serving import end_process
        from issuer.serving import serve as run_server

        run_server(settings, "all", "127.0.0.1", port)
        end_process()


def _tell(path: Path, summary: dict[str, Any], passwords: dict[str, str], base_url: str) -> None:
    """Where everything is, and what to try next."""
    folder, certificates = path.parent, summary["certificates"]
    people, issued, rejected, seconds = (summary[key] for key in ("people", "issued", "rejected", "seconds_issue"))
    valid = next((line for line in certificates if line["verdict"] == "valid"), None)
    say()
    say(f"报名 {people} 人，制发 {issued} 份，未制发 {rejected} 人；制发用时 {seconds} 秒")
    say(f"{people} people, {issued} issued, {rejected} not; issue took {seconds} s")
    say()
    say(f"证书 / certificates     {folder / 'certificates'}")
    say(f"摘要 / summary          {path}")
    for line in summary["invalidated"]:
        say(f"已认定无效 / invalid    {line['management_no']}  ({line['clause']})")
    if valid:
        number = valid["management_no"]
        say(f"一份证书 / one of them  {valid['pdf']}")
        say(f"核验页 / verify it      {valid['qr_text']}")
        again = f"{sys.argv[0]} revoke {number} --ground R9 --basis 不符合报考条件 --data-dir {folder}"
        say(f"撤销试试 / revoke it    {again}")
    say()
    say(f"核验首页 / verifier     {base_url}/")
    say(f"持证人 / holders        {base_url}/my/    (证件号码、姓名、准考证号 / facts: exam-centre/roster.xlsx)")
    say(f"公告 / announcements    {base_url}/announcements")
    say(f"工作台 / staff console  {base_url}/console/")
    for username, password in passwords.items():
        say(f"    {username}  {password}")
