"""Faults as the SOAP door answers them: the SOAP Fault of lgsp/codec/soap/refusal.py, a provider's typed detail before it, HTTP headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.codec.soap.inbound import write_envelope
from lgsp.codec.soap.refusal import CONTENT_TYPES, fault_blocks, fault_element, problem_element, status_of
from lgsp.drivers.doors.problems import fault_headers
from lgsp.drivers.doors.soap_headers import SOAP_FAULT_ACTION, Heard
from lgsp.model.happening import Reply

if TYPE_CHECKING:
    from lgsp.errors import Fault


def fault_reply(fault: Fault, version: str, heard: Heard, names: tuple[str, str, str], typed: bytes = b"") -> Reply:
    """The fault as an HTTP answer; `names`: issuer, message id, trace id; `typed`: the provider's own detail, which comes before ours."""
    headers = (("Content-Type", CONTENT_TYPES[version]), ("Content-Language", "vi, en"), *fault_headers(fault))
    if not heard.faults:
        return Reply(status_of(fault, version), b"", headers[1:])
    content = fault_element(fault, version, typed.decode() + problem_element(fault, names))
    blocks = heard.blocks(SOAP_FAULT_ACTION, names[1]) + fault_blocks(fault, version)
    return Reply(status_of(fault, version), write_envelope(version, blocks, content), headers)
