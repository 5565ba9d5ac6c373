"""A refusal of ours as a SOAP Fault, 1.1 and 1.2: code, reason in Vietnamese and English, and the problem of the one table as typed detail.

What is no SOAP request of somebody we know keeps its own HTTP status (400, 401, 404, 405, 413, 415: WS-I Basic Profile R1113 to R1115).
Every other fault comes with the status that its version of SOAP prescribes: 500 in 1.1 (section 6.2; generated clients read typed detail
under no other), in 1.2 400 where the sender is to blame and 500 otherwise (part 2, section 7.5.2.2).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lgsp.codec.soap.tables import SOAP_11, SOAP_12
from lgsp.errors import Blame, problems

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lgsp.errors import Fault

OURS = "urn:lgsp:soap:1"
OWN_STATUS = frozenset({"malformed-body", "malformed-request"})
OWN_STATUSES = frozenset({401, 404, 405, 413, 415})
CODES = {"header-not-understood": "MustUnderstand", "soap-version": "VersionMismatch"}
CONTENT_TYPES = {SOAP_11: "text/xml; charset=utf-8", SOAP_12: "application/soap+xml; charset=utf-8"}
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def fault_element(fault: Fault, version: str, detail: str) -> bytes:
    """The body's child, in the prefix `soap`."""
    code = _code(fault)
    return (_in_11(fault, code, detail) if version == SOAP_11 else _in_12(fault, code, detail)).encode()


def status_of(fault: Fault, version: str) -> int:
    """The HTTP status."""
    own = fault.problem.status
    if own in OWN_STATUSES or fault.slug in OWN_STATUS:
        return own
    return 400 if version == SOAP_12 and _code(fault) == "Client" else 500


def _code(fault: Fault) -> str:
    return CODES.get(fault.slug) or ("Client" if fault.blame is Blame.CONSUMER else "Server")


def _in_11(fault: Fault, code: str, detail: str) -> str:
    title = fault.problem.title
    reason = escaped(f"{title['vi']} / {title['en']}")
    return f"<soap:Fault><faultcode>soap:{code}</faultcode><faultstring>{reason}</faultstring><detail>{detail}</detail></soap:Fault>"


def _in_12(fault: Fault, code: str, detail: str) -> str:
    code = {"Client": "Sender", "Server": "Receiver"}.get(code, code)
    texts = "".join(f'<soap:Text xml:lang="{lang}">{escaped(fault.problem.title[lang])}</soap:Text>' for lang in ("vi", "en"))
    parts = f"<soap:Code><soap:Value>soap:{code}</soap:Value></soap:Code><soap:Reason>{texts}</soap:Reason>"
    return f"<soap:Fault>{parts}<soap:Detail>{detail}</soap:Detail></soap:Fault>"


def problem_element(fault: Fault, names: tuple[str, str, str]) -> str:
    """The declared fault element, in the order of lgsp.xsd; `names`: issuer, message id, trace id."""
    issuer, message_id, trace_id = names
    problem = problems()[fault.slug]
    facts: list[tuple[str, Any]] = [
        ("slug", problem.slug),
        ("type", problem.uri(issuer)),
        ("status", problem.status),
        ("blame", fault.blame.value),
        ("retryable", "true" if problem.retryable else "false"),
        ("retryAfter", None if fault.retry_after_s is None else max(1, round(fault.retry_after_s))),
    ]
    words = "".join(f"<{name}>{_elements(text.items())}</{name}>" for name, text in (("title", problem.title), ("action", problem.action)))
    rest: list[tuple[str, Any]] = [
        ("detail", fault.detail or None),
        ("providerMessage", fault.extra.get("providerMessage") or None),
        ("messageId", fault.extra.get("messageId") or message_id),
        ("traceId", trace_id),
    ]
    places = "".join(
        f"<error>{_elements((('path', v.pointer), ('line', v.line or None), ('detail', v.detail), ('code', v.code)))}</error>"
        for v in fault.errors
    )
    return f'<problem xmlns="{OURS}">{_elements(facts)}{words}{_elements(rest)}{places}</problem>'


def _elements(facts: Iterable[tuple[str, Any]]) -> str:
    return "".join(f"<{name}>{escaped(str(value))}</{name}>" for name, value in facts if value is not None)


def escaped(text: str) -> str:
    """Text that XML can hold: what it cannot is replaced, because a fault must arrive."""
    sound = _FORBIDDEN.sub("\ufffd", text)
    return sound.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def fault_blocks(fault: Fault, version: str) -> bytes:
    """SOAP 1.2 part 1, sections 5.4.7 and 5.4.8: which versions are spoken, which block was not understood."""
    if fault.slug == "soap-version":
        offered = "".join(
            f'<soap:SupportedEnvelope xmlns:v="{each}" qname="v:Received"/>' for each in fault.extra.get("versions", (SOAP_11, SOAP_12))
        )
        return f'<soap:Upgrade xmlns:soap="{SOAP_12}">{offered}</soap:Upgrade>'.encode()
    if fault.slug == "header-not-understood" and version == SOAP_12:
        space, _, local = str(fault.extra["notUnderstood"])[1:].rpartition("}")
        uri = escaped(space).replace('"', "&quot;")
        return f'<soap:NotUnderstood xmlns:u="{uri}" qname="u:{local}"/>'.encode()
    return b""
