"""Kinds of error of what is for employers: past days, many at once, receipts."""

from typing import Final

from verifier.web.problem_types import ProblemType

FOR_EMPLOYERS: Final[tuple[ProblemType, ...]] = (
    ProblemType(
        "bad-moment",
        422,
        "所问的时间无法识别",
        "The time asked about cannot be read",
        (
            (
                "参数 on 须为日期（如 2025-03-01，按北京时间当日结束时作答）或带时区的时刻（RFC 3339）。",
                "The parameter `on` is a day (2025-03-01: its end in Beijing time) or an RFC 3339 instant "
                "with its zone.",
            ),
            ("只能询问今天或更早的日子。", "Only today or a day before it can be asked about."),
        ),
    ),
    ProblemType(
        "bad-bulk-request",
        422,
        "批量核验的内容不对",
        "The bulk request has the wrong form",
        (
            (
                "发送含列表 checks 的 JSON 对象，或每行一个 JSON 对象（application/x-ndjson），1 到 1000 条。",
                "Send an object with the list `checks`, or one object a line (application/x-ndjson): 1 to 1,000.",
            ),
            (
                "也可发送 .csv 或 .xlsx 名单：首行写明列名“管理号”和“姓名”，或“查验码”。",
                "Or send a list as .csv or .xlsx whose first row names 管理号 and 姓名, or 查验码.",
            ),
            (
                "每条写 token、sha256，或 management_no 加 name，三者取一。",
                "Each has a token, a sha256, or a management_no with a name: one of the three.",
            ),
        ),
    ),
    ProblemType(
        "bad-receipt-request",
        422,
        "回执的要求写得不对",
        "The request for a receipt has the wrong form",
        (
            (
                "subject 为 26 位查验码或 64 位十六进制摘要；label 最多 80 字；format 为 json 或 pdf。",
                "`subject` is a token of 26 characters or a SHA-256 in 64 hexadecimal digits; `label` has at "
                "most 80 characters; `format` is json or pdf.",
            ),
            (
                "自注只写您自己需要的话，不必写持证人的姓名。",
                "Write in the label what you need yourself; the holder's name need not be there.",
            ),
        ),
    ),
    ProblemType(
        "not-a-receipt",
        422,
        "这不是查验回执",
        "This is not a receipt",
        (
            (
                "请提交出具时下载的回执文件（PDF 或 JSON），不要打印、另存或截断。",
                "Give the receipt as it was downloaded (PDF or JSON), not printed, saved again or cut off.",
            ),
            (
                "如果手上只有打印件，请扫描上面的二维码。",
                "If there is only a print, scan the QR code on it.",
            ),
        ),
    ),
    ProblemType(
        "no-receipts",
        501,
        "此处不出具回执",
        "No receipts are given here",
        (
            (
                "查验照常进行；可以保存结果页面，或到官方网站的其他地址索取回执。",
                "Checks are answered as usual; keep the page with the answer instead.",
            ),
            (
                "维护人员：运行 ecert keys rotate receipt，并把 keys/receipt 放到查验服务的数据目录。",
                "Operators: run `ecert keys rotate receipt`, then put keys/receipt into the verifier's folder.",
            ),
        ),
    ),
)
