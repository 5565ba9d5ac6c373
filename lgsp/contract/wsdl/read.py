"""Reads a WSDL 1.1 into its ports, each with operations that speak: SOAP 1.1 and 1.2, document/literal and rpc/literal, both ends.

zeep reads the bindings, xmlschema the types, and what both say is compiled into tables that the codec speaks. Where the codec cannot
follow, zeep speaks, and a note names the construct. Contracts are compiled once for each digest of their documents.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lgsp.codec.soap import speech as soap
from lgsp.codec.soap.speech import Speech
from lgsp.codec.soap.tables import SOAP_11, SOAP_12
from lgsp.codec.soap.verdict import SchemaFault, Verdict
from lgsp.contract.wsdl.bindings import read_ports
from lgsp.contract.wsdl.files import read_documents
from lgsp.contract.wsdl.operations import Bindings, rpc_parts
from lgsp.contract.wsdl.source import open_source
from lgsp.contract.wsdl.zeep_speech import ZeepSpeech, speeches
from lgsp.contract.xsd.build import findings_of
from lgsp.contract.xsd.parts import schema_parts
from lgsp.contract.xsd.types import Types
from lgsp.errors import ContractError, Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lgsp.codec.soap.tables import Operation
    from lgsp.contract.wsdl.bindings import ReadPort
    from lgsp.contract.wsdl.files import Documents
    from lgsp.model.agreed import Wire

MOST_CACHED = 64


@dataclass(frozen=True, slots=True)
class Port:
    """One port of a service: SOAP version (an envelope namespace), address as the WSDL has it, operations by their names.

    by_zeep: operations that the codec cannot follow; a note says why.
    """

    service: str
    name: str
    version: str
    address: str
    operations: Mapping[str, Speech]
    by_zeep: Mapping[str, ZeepSpeech] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WsdlContract:
    """A compiled WSDL. digest: SHA-256 over every file that it was read from; notes: what was accepted with a warning."""

    main: str
    digest: str
    ports: Sequence[Port]
    notes: Sequence[Finding]

    def port(self, name: str | None = None) -> Port:
        """A port by its name; without one, of the only SOAP binding (1.1 before 1.2)."""
        told = ", ".join(sorted({port.name for port in self.ports})) or "none"
        if name is not None:
            for port in self.ports:
                if port.name == name:
                    return port
            raise ContractError([Finding(self.main, 0, "", "port", f"there is no SOAP port {name}; there are: {told}")])
        for version in (SOAP_11, SOAP_12):
            found = [port for port in self.ports if port.version == version]
            if len({id(port.operations) for port in found}) == 1:
                return found[0]
            if found:
                raise ContractError([Finding(self.main, 0, "", "port", f"there are several SOAP bindings; name a port: {told}")])
        raise ContractError([Finding(self.main, 0, "", "port", "there is no port with a SOAP binding over HTTP")])


_CACHE: OrderedDict[tuple[str, str], WsdlContract] = OrderedDict()
_CACHE_IN_TURN = Lock()


def read_contract(path: Path, root: Path | None = None) -> WsdlContract:
    """A WSDL file with its folder (or `root`, a folder around it), a folder or a zip with one WSDL to start from.

    Nothing outside is read. Raises ContractError with every finding (file, line, reason).
    """
    return contract_of(read_documents(*open_source(path, root)))


def contract_of(documents: Documents) -> WsdlContract:
    """The same for documents that were read."""
    key = documents.main, documents.digest
    with _CACHE_IN_TURN:
        if key in _CACHE:
            _CACHE.move_to_end(key)
            return _CACHE[key]
    contract = _compiled(documents)
    with _CACHE_IN_TURN:
        _CACHE[key] = contract
        while len(_CACHE) > MOST_CACHED:
            _CACHE.popitem(last=False)
    return contract


def read_wsdl(path: Path, port: str | None = None) -> Mapping[str, Wire]:
    """The operations of one port by their names, from the consumer's end; see `read_contract` and `WsdlContract.port`."""
    found = read_contract(path).port(port)
    speakers: Mapping[str, soap.Speaker] = {**found.operations, **found.by_zeep}
    return MappingProxyType({name: soap.wire(speaker) for name, speaker in speakers.items()})


@dataclass(frozen=True, slots=True)
class Anatomy:
    """What a WSDL says before it is made to speak: its ports with their operations, and the types below them."""

    ports: Sequence[ReadPort]
    operations: Mapping[int, Mapping[str, Operation]]
    bindings: Bindings
    types: Types


def anatomy(documents: Documents) -> Anatomy:
    """Ports, operations (by the identity of their binding) and types of documents that were read; ContractError with every finding."""
    parts = schema_parts(documents)
    if documents.findings:
        raise ContractError(documents.findings)
    ports = read_ports(documents, parts)
    types = Types([*parts, *rpc_parts(documents, ports, parts)])
    bindings = Bindings(documents, types)
    return Anatomy(ports, {id(port.binding): bindings.operations(port) for port in ports}, bindings, types)


def _compiled(documents: Documents) -> WsdlContract:
    read = anatomy(documents)
    ports, bindings, types, found = read.ports, read.bindings, read.types, read.operations
    grammar = types.grammar()
    verdict = _verdict(documents, types, grammar)
    spoken = {
        key: MappingProxyType({name: Speech(operation, grammar, verdict) for name, operation in operations.items()})
        for key, operations in found.items()
    }
    by_zeep = speeches(documents, bindings.unspoken)
    if ports and not (by_zeep or any(spoken.values())):
        nothing = Finding(documents.main, 0, "", "wsdl", "no operation of any port can be spoken")
        raise ContractError([*(note for note in documents.notes if note.rule == "left-out"), nothing])
    notes = [*documents.notes, *([] if ports else [Finding(documents.main, 0, "", "no-port", "there is no port with a SOAP binding")])]
    made = tuple(_port(port, spoken[id(port.binding)], by_zeep) for port in ports)
    return WsdlContract(documents.main, documents.digest, made, tuple(dict.fromkeys(notes)))


def _port(port: ReadPort, operations: Mapping[str, Speech], by_zeep: Mapping[tuple[str, str], ZeepSpeech]) -> Port:
    mine = {name: speech for (owner, name), speech in by_zeep.items() if owner == port.name}
    return Port(port.service, port.name, port.version, port.address, operations, MappingProxyType(mine))


def _verdict(documents: Documents, types: Types, grammar: Any) -> Verdict:
    try:
        return Verdict(grammar)
    except SchemaFault as fault:
        raise ContractError(findings_of(fault, types.parts, documents.main)) from fault


__all__ = ["Anatomy", "Port", "WsdlContract", "anatomy", "contract_of", "read_contract", "read_wsdl"]
