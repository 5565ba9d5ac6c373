"""What a caller prefers: media types by `Accept` (RFC 9110 section 12.5.1), and `Prefer: code=404, example=name` (RFC 7240)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def best_media(accept: str, offered: Iterable[str]) -> str | None:
    """The offered media type that the header likes best, the first of equals; None if it takes none of them."""
    ranges = [_range(part) for part in accept.split(",") if part.strip()] or [("*/*", 1.0)]
    ranked = [(_quality(media, ranges), -place, media) for place, media in enumerate(offered)]
    best = max(ranked, default=(0.0, 0, ""))
    return best[2] if best[0] > 0 else None


def preferences(prefer: str) -> Mapping[str, str]:
    """Preferences by name; of two of one name the first counts."""
    found: dict[str, str] = {}
    for part in prefer.replace(";", ",").split(","):
        name, _, value = part.strip().partition("=")
        found.setdefault(name.strip().lower(), value.strip().strip('"'))
    return found


def _range(part: str) -> tuple[str, float]:
    media, *parameters = (each.strip().lower() for each in part.split(";"))
    weights = [each[2:] for each in parameters if each.startswith("q=")]
    try:
        return media, float(weights[0]) if weights else 1.0
    except ValueError:
        return media, 0.0


def _quality(media: str, ranges: list[tuple[str, float]]) -> float:
    """The weight of the most specific range that fits."""
    plain = media.partition(";")[0].strip().lower()
    fitting = {plain: 3, plain.partition("/")[0] + "/*": 2, "*/*": 1}
    return max(((fitting[each], weight) for each, weight in ranges if each in fitting), default=(0, 0.0))[1]
