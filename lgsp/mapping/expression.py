"""The expression language of manifests: judgements and small computations over a scope, compiled to closures.

    error_code in ["-1", "401"]        message contains 'đã tồn tại'        not known.found and count(result) > 0
    basic(user, sha256hex(url, user, now_ms, secret))

Grammar, loosest first: `or`, `and`, `not`, one comparison (== != < <= > >= in, not in, contains), then a literal, a list, a call, a path or
parentheses. A path that leads nowhere is null. A number equals its text (providers write 0 and "0"); `contains` ignores case and Unicode
composition. There is no arithmetic, no loop and no way to reach Python: a program that grows beyond this belongs in a named hook.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from lgsp.mapping.functions import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Evaluate = Callable[[Any], Any]
    Names = Callable[[tuple[str, ...]], Evaluate]

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>"[^"]*"|'[^']*')
    |(?P<number>-?[0-9]+(?:\.[0-9]+)?)
    |(?P<name>\$?[^\W\d]\w*(?:\.\w+)*)
    |(?P<sign>==|!=|<=|>=|[<>(),\[\]])
    )""",
    re.VERBOSE,
)
_WORDS = {"and", "or", "not", "in", "contains"}
_CONSTANTS = {"true": True, "false": False, "null": None}
_DEEPEST = 40


class ExpressionError(ValueError):
    """An expression cannot be read; `column` counts from 1."""

    def __init__(self, column: int, reason: str) -> None:
        super().__init__(f"column {column}: {reason}")
        self.column = column
        self.reason = reason


def compile_expression(text: str, names: Names | None = None) -> Evaluate:
    """Turn an expression into a function of its scope; `names` decides what a path means (default: a path into the scope itself)."""
    parser = _Parser(_tokens(text), names or path_into)
    found = parser.either(0)
    parser.end()
    return found


def path_into(keys: tuple[str, ...]) -> Evaluate:
    """Read a path of a scope of nested mappings and lists; what is not there is None."""

    def read(scope: Any) -> Any:
        for key in keys:
            if isinstance(scope, Mapping):
                scope = scope.get(key)
            elif isinstance(scope, list) and key.isdecimal():
                scope = scope[int(key)] if int(key) < len(scope) else None
            else:
                return None
        return scope

    return read


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    column: int


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            column = at + len(text[at:]) - len(text[at:].lstrip()) + 1
            raise ExpressionError(column, f"{text[column - 1]!r} is not expected here")
        kind = str(found.lastgroup)
        word = found[kind]
        tokens.append(_Token("word" if word in _WORDS else kind, word, found.start(kind) + 1))
        at = found.end()
    tokens.append(_Token("end", "", len(text) + 1))
    return tokens


class _Parser:
    """Recursive descent over the tokens of one expression; each method reads one level and gives a closure."""

    def __init__(self, tokens: Sequence[_Token], names: Names) -> None:
        self._tokens = tokens
        self._names = names
        self._at = 0

    def end(self) -> None:
        if self._tokens[self._at].kind != "end":
            raise self._unexpected()

    def either(self, depth: int) -> Evaluate:
        if depth > _DEEPEST:
            raise ExpressionError(self._tokens[self._at].column, "the expression is nested too deeply")
        sides = [self._both(depth)]
        while self._take("or"):
            sides.append(self._both(depth))
        return sides[0] if len(sides) == 1 else lambda scope: any(side(scope) for side in sides)

    def _both(self, depth: int) -> Evaluate:
        sides = [self._negation(depth)]
        while self._take("and"):
            sides.append(self._negation(depth))
        return sides[0] if len(sides) == 1 else lambda scope: all(side(scope) for side in sides)

    def _negation(self, depth: int) -> Evaluate:
        turns = 0
        while self._take("not"):
            turns += 1
        inner = self._comparison(depth)
        if not turns:
            return inner
        wanted = turns % 2 == 0
        return lambda scope: bool(inner(scope)) is wanted

    def _comparison(self, depth: int) -> Evaluate:
        left = self._term(depth)
        sign = self._sign()
        if sign is None:
            return left
        right, compare = self._term(depth), _COMPARISONS[sign]
        return lambda scope: compare(left(scope), right(scope))

    def _sign(self) -> str | None:
        token = self._tokens[self._at]
        if token.text == "not" and self._tokens[self._at + 1].text == "in":
            self._at += 2
            return "not in"
        if token.kind in {"sign", "word"} and token.text in _COMPARISONS:
            self._at += 1
            return token.text
        return None

    def _term(self, depth: int) -> Evaluate:
        token = self._tokens[self._at]
        if token.kind in {"text", "number"}:
            self._at += 1
            return _constant(token.text[1:-1] if token.kind == "text" else _number(token.text))
        if token.kind == "name":
            return self._named(depth)
        if self._take("["):
            members = self._list("]", depth)
            return lambda scope: [member(scope) for member in members]
        if self._take("("):
            inner = self.either(depth + 1)
            self._expect(")")
            return inner
        raise self._unexpected()

    def _named(self, depth: int) -> Evaluate:
        token = self._tokens[self._at]
        self._at += 1
        if token.text in _CONSTANTS:
            return _constant(_CONSTANTS[token.text])
        if self._take("("):
            return self._call(token, self._list(")", depth))
        try:
            return self._names(tuple(token.text.split(".")))
        except LookupError as unknown:
            raise ExpressionError(token.column, str(unknown.args[0])) from None

    def _call(self, name: _Token, arguments: Sequence[Evaluate]) -> Evaluate:
        if name.text not in FUNCTIONS:
            raise ExpressionError(name.column, f"there is no function {name.text!r}; there are {', '.join(sorted(FUNCTIONS))}")
        function = FUNCTIONS[name.text]
        if not function.least <= len(arguments) <= function.most:
            raise ExpressionError(name.column, f"{name.text} takes {function.arity}, not {len(arguments)}")
        run = function.run
        return lambda scope: run(*[argument(scope) for argument in arguments])

    def _list(self, closing: str, depth: int) -> list[Evaluate]:
        members: list[Evaluate] = []
        while not self._take(closing):
            if members:
                self._expect(",")
            members.append(self.either(depth + 1))
        return members

    def _take(self, text: str) -> bool:
        token = self._tokens[self._at]
        if token.kind not in {"word", "sign"} or token.text != text:
            return False
        self._at += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._unexpected(f", {text!r} is")

    def _unexpected(self, wanted: str = "") -> ExpressionError:
        token = self._tokens[self._at]
        seen = "the end" if token.kind == "end" else repr(token.text)
        return ExpressionError(token.column, f"{seen} is not expected here{wanted}")


def _constant(value: Any) -> Evaluate:
    return lambda _scope: value


def _number(text: str) -> int | Decimal:
    return Decimal(text) if "." in text else int(text)


def _same(left: Any, right: Any) -> bool:
    if type(left) is type(right) or left is None or right is None:
        return bool(left == right)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return str(left) == str(right) if isinstance(left, str) or isinstance(right, str) else bool(left == right)


def _within(left: Any, right: Any) -> bool:
    return isinstance(right, list) and any(_same(left, member) for member in right)


def _contains(left: Any, right: Any) -> bool:
    if isinstance(left, list):
        return _within(right, left)
    return isinstance(left, str) and isinstance(right, str) and _folded(right) in _folded(left)


def _folded(text: str) -> str:
    return normalize("NFC", normalize("NFC", text).casefold())


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(left: Any, right: Any) -> bool:
        numbers = isinstance(left, int | Decimal) and isinstance(right, int | Decimal)
        return (numbers or (isinstance(left, str) and isinstance(right, str))) and compare(left, right)

    return ordered


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": _same,
    "!=": lambda left, right: not _same(left, right),
    "in": _within,
    "not in": lambda left, right: not _within(left, right),
    "contains": _contains,
    "<": _ordered(lambda left, right: bool(left < right)),
    "<=": _ordered(lambda left, right: bool(left <= right)),
    ">": _ordered(lambda left, right: bool(left > right)),
    ">=": _ordered(lambda left, right: bool(left >= right)),
}
