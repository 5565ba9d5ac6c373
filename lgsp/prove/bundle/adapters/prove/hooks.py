"""What breaks while it is translated: the crash test's poison (F36)."""

from decimal import Decimal


def burst(text: str) -> str:
    """The text, unless it names a way to break."""
    if text == "recursion":
        return burst(text)
    if text == "decimal":
        return str(Decimal(10) ** (10**12))
    if text == "division":
        return str(len(text) / 0)
    return text
