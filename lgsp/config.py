"""Settings: read once from the environment, frozen; unknown and missing keys are refused together."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lgsp.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HOME = Path(__file__).parent.parent
BIND = "LGSP_BIND_"
CLIENT_KEYS = frozenset({"LGSP_HUB", "LGSP_USER", "LGSP_PASSWORD", "LGSP_LANG", "LGSP_GATEWAY", "LGSP_CLIENT_ID", "LGSP_CLIENT_SECRET"})
"""Read by the commands that steer a hub from outside, not by the hub."""
MASTER_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Settings:
    """What one process of the hub was told. Sizes in bytes, durations in seconds; `bindings` are the `$env` references of adapters."""

    master_key: bytes = field(repr=False)
    environment: str = "production"
    database_url: str = "sqlite:///lgsp.db"
    broker_url: str = field(default="", repr=False)
    host: str = "127.0.0.1"
    data_port: int = 8080
    admin_port: int = 8090
    adapters: Path = HOME / "adapters"
    contracts: Path = HOME / "contracts"
    issuer: str = "https://lgsp.example"
    token_life_s: int = 3600
    body_limit_bytes: int = 1 << 20
    lease_margin_s: float = 10.0
    exchanges_limit: int = 512
    stop_notice_s: float = 5.0
    stop_drain_s: float = 30.0
    file_limit_bytes: int = 128 << 20
    file_keep_s: int = 7 * 86_400
    vault_dir: str = ""
    public_url: str = ""
    publish_approval: bool = False
    security_servers: Mapping[str, str] = field(default_factory=dict)
    evidence_drop: str = ""
    evidence_mail: str = field(default="", repr=False)
    evidence_hubs: tuple[str, ...] = ()
    evidence_witnesses: Mapping[str, str] = field(default_factory=dict)
    evidence_send_s: int = 60
    evidence_behind_s: int = 300
    admin_password: str = field(default="", repr=False)
    metrics_dir: str = ""
    log_level: str = "info"
    bindings: Mapping[str, str] = field(default_factory=dict, repr=False)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from LGSP_* variables; raises SettingsError that names every unknown, missing or unreadable key."""
    known = {f"LGSP_{f.name.upper()}": f.name for f in fields(Settings) if f.name != "bindings"}
    ours = {key: value for key, value in environ.items() if key.startswith("LGSP_") and not key.startswith("LGSP_TEST_")}
    ours = {key: value for key, value in ours.items() if key not in CLIENT_KEYS}
    bindings = {key.removeprefix(BIND): value for key, value in ours.items() if key.startswith(BIND)}
    complaints = [f"{key}: unknown setting" for key in ours if key not in known and not key.startswith(BIND)]
    values: dict[str, object] = {}
    for key, name in known.items():
        if key not in ours:
            continue
        try:
            values[name] = READERS[name](ours[key])
        except ValueError as error:
            complaints.append(f"{key}: {error}")
    if "LGSP_MASTER_KEY" not in ours:
        complaints.append("LGSP_MASTER_KEY: missing (32 random bytes in base64, for example: openssl rand -base64 32)")
    if values.get("environment") == "development":
        values.setdefault("stop_notice_s", 0.0)  # no proxy has to be told
    if complaints:
        raise SettingsError("\n".join(sorted(complaints)))
    return Settings(**values, bindings=MappingProxyType(bindings))  # type: ignore[arg-type]  # names and types come from READERS


def _master_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        message = "expected 32 bytes in base64"
        raise ValueError(message)
    return key


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        message = "no such folder"
        raise ValueError(message)
    return path


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc or "@" in parts.netloc or parts.query or parts.fragment:
        message = "expected an address like https://lgsp.example"
        raise ValueError(message)
    return text.rstrip("/")


def _yes_or_no(text: str) -> bool:
    if text not in {"yes", "no"}:
        message = "expected yes or no"
        raise ValueError(message)
    return text == "yes"


def _positive(text: str) -> int:
    number = int(text)
    if number <= 0:
        message = "expected a whole number above 0"
        raise ValueError(message)
    return number


def _duration(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        message = "expected seconds, 0 or more"
        raise ValueError(message)
    return seconds


def _environment(text: str) -> str:
    if text not in {"production", "test", "development"}:
        message = "expected production, test or development"
        raise ValueError(message)
    return text


def _security_servers(text: str) -> Mapping[str, str]:
    """`ADDRESS` or `ADDRESS#SHA256-OF-CERTIFICATE`, separated by commas."""
    found = {}
    for entry in text.split(","):
        address, _, fingerprint = entry.strip().partition("#")
        if fingerprint and not re.fullmatch(r"[0-9a-f]{64}", fingerprint.lower()):
            message = "expected 64 hex digits (SHA-256 of a certificate) after #"
            raise ValueError(message)
        found[str(ipaddress.ip_address(address))] = fingerprint.lower()
    return MappingProxyType(found)


def _urls(text: str) -> tuple[str, ...]:
    return tuple(_public_url(url.strip()) for url in text.split(",") if url.strip())


def _witnesses(text: str) -> Mapping[str, str]:
    """`HUB#FINGERPRINT`, separated by commas."""
    found = {}
    for entry in text.split(","):
        hub, _, fingerprint = entry.strip().rpartition("#")
        if not hub or not re.fullmatch(r"[0-9a-f]{64}", fingerprint.lower()):
            message = "expected HUB#FINGERPRINT (its issuer, and the SHA-256 of its key in hex), separated by commas"
            raise ValueError(message)
        found[hub] = fingerprint.lower()
    return MappingProxyType(found)


def _folder_name(text: str) -> str:
    return str(_folder(text))


READERS: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {
        "master_key": _master_key,
        "environment": _environment,
        "database_url": str,
        "broker_url": str,
        "host": str,
        "data_port": _positive,
        "admin_port": _positive,
        "adapters": _folder,
        "contracts": _folder,
        "issuer": str,
        "token_life_s": _positive,
        "body_limit_bytes": _positive,
        "lease_margin_s": float,
        "exchanges_limit": _positive,
        "stop_notice_s": _duration,
        "stop_drain_s": _duration,
        "file_limit_bytes": _positive,
        "file_keep_s": _positive,
        "vault_dir": str,
        "security_servers": _security_servers,
        "public_url": _public_url,
        "publish_approval": _yes_or_no,
        "evidence_drop": _folder_name,
        "evidence_mail": str,
        "evidence_hubs": _urls,
        "evidence_witnesses": _witnesses,
        "evidence_send_s": _positive,
        "evidence_behind_s": _positive,
        "admin_password": str,
        "metrics_dir": str,
        "log_level": str,
    }
)
