"""The folder of an external system from its WSDL or OpenAPI file alone: a draft that passes `check` as it is and that people may edit.

From a WSDL: the file with all it imports, our OpenAPI contract made of it. From OpenAPI: the provider's file bundled as `native.yaml`, our
contract made of it, and a WSDL where one is wanted. The manifest translates nothing (`mapping: identity`).
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lgsp.contract.bridge.manifest import Drafted, manifest_of, yaml_of
from lgsp.contract.bridge.native import VERSION, carries_files, entry, items, native_of
from lgsp.contract.bridge.personal import Marks, mark_personal
from lgsp.contract.bridge.proofs import Proofs
from lgsp.contract.bridge.to_rest import document_of, operation_ids
from lgsp.contract.bridge.to_soap import wsdl_of
from lgsp.contract.kind import Kind, kind_of
from lgsp.contract.openapi.bundle import bundle
from lgsp.contract.openapi.names import with_names
from lgsp.contract.openapi.read import compile_contract
from lgsp.contract.words import plain
from lgsp.contract.wsdl.files import read_documents
from lgsp.contract.wsdl.read import contract_of
from lgsp.contract.wsdl.source import open_source
from lgsp.errors import ContractError, Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from lgsp.contract.source import Source
    from lgsp.contract.wsdl.files import Documents

MAIN = "service.wsdl"
MOST_OPERATIONS = 500
DRAFT_MEMBER = "VN/GOV/DRAFT"
LOOK_UP_S, CHANGE_S, FILES_S = 20, 30, 60
"""Timeouts of a whole call: where every operation may be repeated, where some may not, where whole files travel."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a draft; what is empty is derived.

    name: of the folder. port: of a WSDL. operations: those that are wanted, else all. code: of the service, its address. system: X-Road
    identifier of the provider. whole: an operation that cannot be offered refuses the file, and SOAP must carry every one (a bridge);
    else it is left out with a note. root: the folder that references must not leave, by default the file's own.
    """

    name: str = ""
    port: str | None = None
    operations: Collection[str] = ()
    data_class: str = "personal"
    code: str = ""
    system: str = ""
    title: str = ""
    whole: bool = True
    root: Path | None = None


@dataclass(slots=True)
class Draft:
    """Files by their path below the folder that has `adapters` and `contracts`.

    answer: path of the contract in the other tongue. marks: personal data that were found. notes: what was left out.
    """

    name: str
    major: str = "1"
    answer: str = ""
    code: str = ""
    files: dict[str, str | bytes] = field(default_factory=dict)
    marks: Marks = field(default_factory=Marks)
    notes: tuple[Finding, ...] = ()

    @property
    def place(self) -> str:
        """Where the contracts lie below `contracts/openapi` and `contracts/wsdl`."""
        return f"{self.name}/v{self.major}"

    def write(self, to: Path) -> list[str]:
        """Write everything; raises FileExistsError where a file is there already. Gives the paths written."""
        there = [name for name in self.files if (to / name).exists()]
        if there:
            raise FileExistsError(there[0])
        for name, content in self.files.items():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            (to / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return sorted(self.files)


def draft_of(file: Path, wish: Wish) -> Draft:
    """The draft of a file, by what the file is. Raises ContractError with every finding."""
    return _from_wsdl(file, wish) if kind_of(file) is Kind.WSDL else _from_openapi(file, wish)


# ---- from a WSDL ---------------------------------------------------------------------------------------------------------------------


def _from_wsdl(file: Path, wish: Wish) -> Draft:
    documents = read_documents(*open_source(file, wish.root))
    contract = contract_of(documents)
    port = contract.port(wish.port)
    chosen = _chosen(wish, port.operations, file.name)
    document, marks = mark_personal(document_of(documents, port, VERSION, chosen))
    draft = Draft(_slug(wish.name or port.service), marks=marks, notes=tuple(contract.notes))
    for name, content in _files(documents).items():
        draft.files[f"contracts/wsdl/{draft.place}/{name}"] = content
    draft.answer = f"contracts/openapi/{draft.place}/openapi.yaml"
    draft.files[draft.answer] = yaml_of(document)
    operations = {
        name: entry(native, one_way=port.operations[native].operation.reply is None) for native, name in operation_ids(chosen).items()
    }
    is_same = all(each["native"] == name and all(name in other.operations for other in contract.ports) for name, each in operations.items())
    parts = _Parts(
        document["info"]["title"],
        VERSION,
        {"kind": "soap", "wsdl": f"{draft.place}/{MAIN}", "port": port.name},
        operations,
        CHANGE_S,
        wsdl=f"{draft.place}/{MAIN}" if is_same else "",
    )
    _manifest(draft, file, wish, parts)
    return draft


def _files(documents: Documents) -> Mapping[str, bytes]:
    """The WSDL as `service.wsdl`, in the folder where the paths of its imports hold, and what it imports; the catalogue's stay there."""
    top = posixpath.dirname(documents.main)
    found = {}
    for name in documents.roots:
        content = documents.files.read(name)
        if content is not None:
            found[MAIN if name == documents.main else posixpath.relpath(name, top or ".")] = content
    outside = [name for name in found if name.startswith("../")]
    if outside:
        reason = f"it imports {outside[0]}, which lies outside of its folder"
        raise ContractError([Finding(documents.main, 0, "", "path-escape", reason, "move the WSDL to the top of its folder")])
    return found


def _chosen(wish: Wish, names: Collection[str], file: str) -> list[str]:
    unknown = [name for name in wish.operations if name not in names]
    if unknown:
        reason = f"there is no operation {', '.join(unknown)}; there are {', '.join(names)}"
        raise ContractError([Finding(file, 0, "", "operation", reason)])
    return [name for name in names if not wish.operations or name in wish.operations]


# ---- from OpenAPI --------------------------------------------------------------------------------------------------------------------


def _from_openapi(file: Path, wish: Wish) -> Draft:
    document, source, findings = bundle(file, wish.root or file.parent)
    if findings:
        raise ContractError(findings)
    named = with_names(document)
    chosen = _chosen(wish, [item["operationId"] for _, item in items(named)], file.name)
    if len(chosen) > MOST_OPERATIONS:
        reason = f"{len(chosen)} operations; one service has {MOST_OPERATIONS} at most"
        raise ContractError([source.finding("/paths", "operation", reason, "choose some by --operation, or split the contract")])
    if not chosen:
        compile_contract(document, source, ())  # what else is wrong is told first
        raise ContractError([source.finding("/paths", "operation", "there are no operations")])
    native = native_of(named, chosen, source, whole=wish.whole)
    ours, marks = mark_personal(native.ours)
    major = ours["info"]["version"].partition(".")[0]
    draft = Draft(_slug(wish.name or str(document["info"]["title"])), major, marks=marks, notes=tuple(native.left_out))
    place = draft.place
    draft.files[f"contracts/openapi/{place}/native.yaml"] = yaml_of(native.document)
    draft.files[f"contracts/openapi/{place}/openapi.yaml"] = yaml_of(ours)
    if wish.whole:
        draft.answer = f"contracts/wsdl/{place}/{MAIN}"
        draft.files[draft.answer] = _wsdl(ours, draft.name, source)
    wait_s = FILES_S if carries_files(native.document) else CHANGE_S if _changes(native.operations, native.calls) else LOOK_UP_S
    parts = _Parts(
        ours["info"]["title"],
        ours["info"]["version"],
        {"kind": "rest", "contract": f"{place}/native.yaml"},
        native.operations,
        wait_s,
        wsdl=f"{place}/{MAIN}" if wish.whole else "",
        calls=native.calls,
        proofs=native.proofs,
    )
    _manifest(draft, file, wish, parts)
    return draft


def _changes(operations: Mapping[str, Any], calls: Mapping[str, Any]) -> bool:
    """Whether some call may not be repeated."""
    return not all((each if "native" in each else calls[name][0]).get("safe") for name, each in operations.items())


def _wsdl(ours: dict[str, Any], name: str, source: Source) -> bytes:
    """The WSDL of our contract; what SOAP cannot carry is told at its place in the provider's file."""
    try:
        major = ours["info"]["version"].partition(".")[0]
        contract = compile_contract(ours, source, ())
        receipts = [each for each, operation in contract.operations.items() if _is_kept(ours, operation.path, operation.method)]
        return wsdl_of(contract, f"{name.replace('_', '-')}:{major}", receipts)
    except ContractError as error:
        raise ContractError([source.finding(each.pointer, each.rule, each.reason, each.fix) for each in error.findings]) from error


def _is_kept(ours: Mapping[str, Any], path: str, method: str) -> bool:
    return "202" in ours["paths"][path][method.lower()]["responses"] if path in ours["paths"] else False


# ---- what every draft has ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the two tongues give to the manifest."""

    title: str
    version: str
    binding: Mapping[str, Any]
    operations: Mapping[str, Any]
    timeout_s: int
    wsdl: str = ""
    calls: Mapping[str, Any] = field(default_factory=dict)
    proofs: Proofs = field(default_factory=Proofs)


def _manifest(draft: Draft, file: Path, wish: Wish, parts: _Parts) -> None:
    draft.code = wish.code or draft.name.replace("_", "-")
    drafted = Drafted(
        name=draft.name,
        code=draft.code,
        system=wish.system or f"{DRAFT_MEMBER}/{draft.name}",
        title=wish.title or parts.title,
        version=parts.version,
        place=draft.place,
        binding=parts.binding,
        operations=parts.operations,
        data_class=wish.data_class or draft.marks.sensitivity,
        timeout_s=parts.timeout_s,
        calls=parts.calls,
        wsdl=parts.wsdl,
        proofs=parts.proofs,
    )
    draft.files[f"adapters/{draft.name}/adapter.yaml"] = manifest_of(drafted, file.name)


def _slug(title: str) -> str:
    """A folder's name of a title: `TraCuuCongDan` and `Tra cứu công dân` become `tra_cuu_cong_dan`."""
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", plain(title))
    words = re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_").removesuffix("_service")[:40].strip("_")
    return words if len(words) > 1 and words[0].isalpha() else f"system_{words}".strip("_")


__all__ = ["Draft", "Wish", "draft_of", "yaml_of"]
