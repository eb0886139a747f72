"""Why a backup is not made or not restored."""

from issuer.errors import InputError, UnavailableError, Words
from issuer.marker import MARKER
from issuer.settings import Settings


def require_whole(settings: Settings, *, server: bool) -> None:
    """Raise UnavailableError where there is nothing to back up, or only a part of it is within reach."""
    if not (settings.data_dir / MARKER).exists():
        raise UnavailableError(
            "not-initialised",
            Words("数据目录尚未初始化。", "The data folder has not been initialised."),
            remedy=Words("检查 --data-dir。", "Check --data-dir."),
        )
    if not server and (settings.database_url or settings.register_url or settings.storage_url):
        raise UnavailableError(
            "kept-elsewhere",
            Words(
                "只有一部分数据不在数据目录中，无法一起备份。",
                "Only a part of the data is kept outside the data folder: it cannot be backed up as one.",
            ),
            remedy=Words(
                "两个数据库都用 PostgreSQL（ECERT_DATABASE_URL、ECERT_REGISTER_URL），或都不用。",
                "Keep both databases in PostgreSQL (ECERT_DATABASE_URL, ECERT_REGISTER_URL), or neither.",
            ),
        )


def wrong_passphrase() -> InputError:
    """The passphrase does not open the backup."""
    return InputError(
        "wrong-passphrase",
        Words("备份口令不正确，未作任何改动。", "The backup's passphrase is wrong; nothing was changed."),
        remedy=Words("用备份时显示的口令（--passphrase-file）。", "Use the one shown when it was made."),
    )


def damaged() -> InputError:
    """Not a whole backup of ours."""
    return InputError(
        "backup-damaged",
        Words("不是完整的备份文件，未作任何改动。", "This is not a whole backup; nothing was changed."),
        remedy=Words("换一份备份重试。", "Try another copy."),
    )
