"""Witness: this hub keeps the signed heads of others, so that their history cannot be rewritten without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.errors import Fault
from lgsp.evidence.verifier import WrongError, check_head, fingerprint
from lgsp.model.evidence import Head

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.ports.office import Office


async def witness(office: Office, told: Mapping[str, Any]) -> None:
    """Keep a head of a hub whose key the settings name; Fault("head-contradicted") if it sent another one of that size before."""
    trusted = office.witness.trusted.get(told["hub"])
    if trusted is None:
        raise Fault("not-found", "this hub keeps no heads of that one")
    try:
        check_head(told, {fingerprint(bytes.fromhex(told["public"])): told["public"]}, trusted)
    except WrongError as error:
        raise Fault("head-refused", str(error)) from error
    head = Head(told["batch"], told["size"], bytes.fromhex(told["root"]), told["at"], told["key"], bytes.fromhex(told["signature"]))
    if not await office.witness.heads.witness(told["hub"], head):
        raise Fault("head-contradicted", f"{told['hub']}: another head of {head.size} leaves came before")


async def witnessed(office: Office, hub: str, after: int, limit: int) -> Sequence[Head]:
    """The kept heads of a hub, of batches after this one, in their order."""
    return await office.witness.heads.witnessed(hub, after, limit)
