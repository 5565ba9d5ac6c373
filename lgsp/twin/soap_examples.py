"""Examples of a SOAP stand-in: OPERATION.xml (an envelope, perhaps a fault) or OPERATION.json (a value); more as OPERATION.NAME.*."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.codec.soap.envelope import open_envelope
from lgsp.codec.soap.speech import decode, encode
from lgsp.errors import CodecError, ContractError, Finding
from lgsp.twin.soap import Examples

if TYPE_CHECKING:
    from pathlib import Path

    from lgsp.codec.soap.speech import Speech
    from lgsp.contract.wsdl.read import WsdlContract

SUFFIXES = frozenset({".xml", ".json"})


def read_examples(folder: Path, contract: WsdlContract) -> Examples:
    """The examples in a folder, each valid. Raises ContractError with every one that is not, or that no operation has use for."""
    values: dict[str, dict[str, Any]] = {}
    findings: list[Finding] = []
    for path in sorted(each for each in folder.iterdir() if each.suffix in SUFFIXES):
        operation, _, name = path.stem.partition(".")
        speeches = [port.operations[operation] for port in contract.ports if operation in port.operations]
        if not speeches:
            told = ", ".join(sorted({each for port in contract.ports for each in port.operations}))
            findings.append(Finding(path.name, 0, "", "example", f"there is no operation {operation}", f"there are {told}"))
            continue
        try:
            values.setdefault(operation, {})[name] = _value(path, speeches)
        except CodecError as error:
            findings.append(Finding(path.name, 0, error.pointer, "example", str(error)))
    if findings:
        raise ContractError(findings)
    return Examples(values)


def _value(path: Path, speeches: list[Speech]) -> Any:
    data = path.read_bytes()
    if path.suffix == ".json":
        value = json.decode(data)
        encode(speeches[0], value, reply=True)
        return value
    version = open_envelope(data).version
    speech = next((each for each in speeches if each.operation.version == version), None)
    if speech is None:
        raise CodecError("no port of the operation has this version of SOAP")
    return decode(speech, data, reply=True)


__all__ = ["read_examples"]
