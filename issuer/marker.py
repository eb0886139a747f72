"""The file that says a data folder is whole, and what it was made for. Light: every command looks at it."""

import json
from pathlib import Path

MARKER = "ecert.json"


def remembered_base_url(data_dir: Path) -> str | None:
    """The verification address the folder was made for: its QR codes point there whatever port serves it today."""
    try:
        marker = json.loads((data_dir / MARKER).read_text(encoding="utf-8"))
        address = marker["verify_base_url"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return address if isinstance(address, str) else None
