"""A service as SOAP consumers see it: compiled operations, and the WSDL that is published."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from lgsp.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.errors import Violation


@dataclass(frozen=True, slots=True)
class SoapOperation:
    """How SOAP consumers speak one operation; pure.

    element: Clark name of the body's child that asks for it. actions: what SOAPAction and wsa:Action may say; reply_action: what the answer
    says. read: an opened envelope (lgsp/codec/soap/envelope.py) to parameters as texts, canonical value, violations with their lines.
    write: canonical reply to the answer's envelope, and what in it breaks the contract; one_way: there is no answer. binary: local names of
    the answer's elements that are base64 wherever they stand. recognise: bytes that
    are surely a valid request without header blocks to what `read` would give; None for all others. fault: name and value of a provider's
    typed fault to the element that the WSDL declares for it, nothing where it declares none or the value breaks it.
    """

    name: str
    element: str
    actions: frozenset[str]
    reply_action: str
    read: Callable[[Any], tuple[Mapping[str, str], Any, Sequence[Violation]]]
    write: Callable[[Any], tuple[bytes, Sequence[Violation]]]
    recognise: Callable[[bytes], tuple[Mapping[str, str], Any] | None]
    fault: Callable[[str, Any], bytes]
    one_way: bool = False
    binary: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SoapFace:
    """A service as SOAP consumers see it.

    versions: envelope namespaces that are spoken. operations: by version and element.
    """

    versions: frozenset[str]
    operations: Mapping[tuple[str, str], SoapOperation]


@dataclass(frozen=True, slots=True)
class Wsdl:
    """The WSDL that is published, each part written when it is first asked for.

    documents: what `?wsdl` gives, the WSDL under "", what it imports by name; ADDRESS stands in them for the address of the service.
    single: all of them as one (`?singleWsdl`).
    """

    documents: Callable[[], Mapping[str, bytes]]
    single: Callable[[], bytes]


class SoapOffer:
    """What SOAP consumers are offered: a WSDL, and the face behind it, made when it is first spoken to and kept as long as the service.

    made: the face; None until then. `make` is pure and may take seconds; ContractError where the face cannot be made.
    """

    __slots__ = ("_flaw", "_make", "_turn", "made", "wsdl")

    def __init__(self, wsdl: Wsdl, make: Callable[[], SoapFace]) -> None:
        self.wsdl = wsdl
        self.made: SoapFace | None = None
        self._make = make
        self._turn = Lock()
        self._flaw: ContractError | None = None

    def face(self) -> SoapFace:
        """The face; made once, whichever threads ask, and what failed once fails again at once."""
        with self._turn:
            if self._flaw is not None:
                raise ContractError(self._flaw.findings)
            if self.made is None:
                self.made = self._tried()
            return self.made

    def is_sound(self) -> bool:
        """Whether the face can be made; it is not kept."""
        try:
            return bool(self.made or self._make())
        except ContractError:
            return False

    def _tried(self) -> SoapFace:
        try:
            return self._make()
        except ContractError as error:
            self._flaw = error
            raise
