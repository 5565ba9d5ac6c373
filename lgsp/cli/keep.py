"""What commands remember between runs: sessions and consumers' credentials, by hub, in files that only their owner reads."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import typer

SESSIONS = "sessions.json"
CREDENTIALS = "credentials.json"


def recall(name: str, hub: str) -> dict[str, Any]:
    """What is remembered about this hub, or nothing."""
    remembered = _read(name).get(hub, {})
    return remembered if isinstance(remembered, dict) else {}


def remember(name: str, hub: str, facts: dict[str, Any]) -> Path:
    """Replace what is remembered about this hub; the file has mode 0600 from its first byte."""
    path = _folder() / name
    everything = {**_read(name), hub: facts}
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(everything, file, ensure_ascii=False, indent=2)
    fresh.replace(path)
    return path


def _read(name: str) -> dict[str, Any]:
    try:
        content = json.loads((_folder() / name).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise typer.BadParameter(f"{_folder() / name}: not JSON; remove the file") from error
    return content if isinstance(content, dict) else {}


def _folder() -> Path:
    folder = Path(typer.get_app_dir("lgsp"))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
