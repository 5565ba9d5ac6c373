"""Which operations of a WSDL ask for a WS-Security UsernameToken, by the policies that are attached to them (WS-SecurityPolicy)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.contract.wsdl.files import WSDL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml.etree import _Element

    from lgsp.contract.wsdl.files import Documents

POLICY = frozenset({"http://schemas.xmlsoap.org/ws/2004/09/policy", "http://www.w3.org/ns/ws-policy"})
ID = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}Id"


def token_operations(documents: Documents) -> Mapping[str, frozenset[str]]:
    """Port name to the operations for which its policies, or those of its binding or port type, want a UsernameToken."""
    roots = list(documents.roots.values())
    policies = {f"#{node.get(ID)}": node for root in roots for node in _policies(root) if node.get(ID)}
    bindings = {str(node.get("name")): node for root in roots for node in root.findall(f"{{{WSDL}}}binding")}
    types = {str(node.get("name")): node for root in roots for node in root.findall(f"{{{WSDL}}}portType")}
    found: dict[str, frozenset[str]] = {}
    for port in (port for root in roots for port in root.findall(f"{{{WSDL}}}service/{{{WSDL}}}port")):
        binding = bindings.get(_local(port.get("binding")))
        subjects = [node for node in (binding, types.get(_local(binding.get("type"))) if binding is not None else None) if node is not None]
        names = {str(each.get("name")) for node in subjects for each in node.findall(f"{{{WSDL}}}operation")}
        if any(_asks(node, policies) for node in (port, *subjects)):
            found[str(port.get("name"))] = frozenset(names)
        else:
            found[str(port.get("name"))] = frozenset(name for node in subjects for name in _operations_that_ask(node, policies))
    return found


def _operations_that_ask(subject: _Element, policies: Mapping[str, _Element]) -> Iterator[str]:
    for operation in subject.findall(f"{{{WSDL}}}operation"):
        asked = operation.find(f"{{{WSDL}}}input")
        if _asks(operation, policies) or (asked is not None and _asks(asked, policies)):
            yield str(operation.get("name"))


def _asks(subject: _Element, policies: Mapping[str, _Element]) -> bool:
    """Whether a policy that is attached here wants the token."""
    attached = [node for space in POLICY for node in subject.findall(f"{{{space}}}Policy")]
    references = [node.get("URI") or "" for space in POLICY for node in subject.findall(f"{{{space}}}PolicyReference")]
    references += [uri for space in POLICY for uri in (subject.get(f"{{{space}}}PolicyURIs") or "").split()]
    attached += [policies[uri] for uri in references if uri in policies]
    return any(_wants_token(policy) for policy in attached)


def _wants_token(policy: _Element) -> bool:
    return any(all(node.get(f"{{{space}}}Optional") != "true" for space in POLICY) for node in policy.iter("{*}UsernameToken"))


def _policies(root: _Element) -> Iterator[_Element]:
    return root.iter(*(f"{{{space}}}Policy" for space in POLICY))


def _local(name: str | None) -> str:
    return (name or "").rpartition(":")[2]


__all__ = ["token_operations"]
