"""The folder of an external system from its WSDL or OpenAPI file alone: a draft that passes `check` as it is and that people may edit.

From a WSDL: the file with all it imports, our OpenAPI contract made of it. From OpenAPI: the provider's file bundled as `native.yaml`, our
contract made of it, and a WSDL. The manifest translates nothing (`mapping: identity`).
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from lgsp.contract.bridge.to_rest import PROBLEM, document_of, operation_ids, problem_responses, problem_schema
from lgsp.contract.bridge.to_soap import wsdl_of
from lgsp.contract.kind import Kind, kind_of
from lgsp.contract.openapi.anatomy import METHODS
from lgsp.contract.openapi.bundle import bundle
from lgsp.contract.openapi.names import with_names
from lgsp.contract.openapi.read import ANSWERS, JSON, compile_contract
from lgsp.contract.wsdl.files import read_documents
from lgsp.contract.wsdl.read import contract_of
from lgsp.contract.wsdl.source import open_source
from lgsp.errors import ContractError, Finding
from lgsp.mapping.compile import IDENTITY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from lgsp.contract.source import Source
    from lgsp.contract.wsdl.files import Documents

VERSION = "1.0.0"
MAIN = "service.wsdl"
TO_BE_STATED = "chưa ghi / to be stated"
_VERSION = re.compile(r"[1-9][0-9]*\.[0-9]+\.[0-9]+")
_NUMERIC = frozenset("0123456789+-.")
_SAFE = frozenset({"get", "head"})
_HEADER = "# A draft by `lgsp bridge` from {file}. State owner, legal basis and contact; check data_class, timeouts and what is `safe`.\n"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a draft: name of the system ("" for one made of the file's own), port of a WSDL, the operations wanted (all)."""

    name: str = ""
    port: str | None = None
    operations: Collection[str] = ()
    data_class: str = "personal"


@dataclass(slots=True)
class Draft:
    """Files by their path below the folder that has `adapters` and `contracts`.

    answer: path of the contract in the other tongue.
    """

    name: str
    major: str = "1"
    answer: str = ""
    files: dict[str, str | bytes] = field(default_factory=dict)

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
    documents = read_documents(*open_source(file))
    contract = contract_of(documents)
    port = contract.port(wish.port)
    chosen = _chosen(wish, port.operations, file.name)
    document = document_of(documents, port, VERSION, chosen)
    draft = Draft(_slug(wish.name or port.service))
    for name, content in _files(documents).items():
        draft.files[f"contracts/wsdl/{draft.place}/{name}"] = content
    draft.answer = f"contracts/openapi/{draft.place}/openapi.yaml"
    draft.files[draft.answer] = yaml_of(document)
    operations = {
        name: _operation(native, one_way=port.operations[native].operation.reply is None) for native, name in operation_ids(chosen).items()
    }
    binding = {"kind": "soap", "wsdl": f"{draft.place}/{MAIN}", "port": port.name}
    is_same = all(each["native"] == name and all(name in other.operations for other in contract.ports) for name, each in operations.items())
    _manifest(draft, file, _Service(document["info"]["title"], VERSION, binding, operations, wish.data_class, is_same))
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
    document, source, findings = bundle(file, file.parent)
    if findings:
        raise ContractError(findings)
    named = deepcopy(with_names(document))
    ids = operation_ids(_chosen(wish, [item["operationId"] for _, item in _items(named)], file.name))
    if not ids:
        raise ContractError([source.finding("/paths", "operation", "there are no operations")])
    native = _only_json(_without(named, ids))
    ours = _ours(native, ids)
    draft = Draft(_slug(wish.name or str(document["info"]["title"])), ours["info"]["version"].partition(".")[0])
    place = draft.place
    draft.files[f"contracts/openapi/{place}/native.yaml"] = yaml_of(native)
    draft.files[f"contracts/openapi/{place}/openapi.yaml"] = yaml_of(ours)
    draft.answer = f"contracts/wsdl/{place}/{MAIN}"
    draft.files[draft.answer] = _wsdl(ours, draft.name, source)
    operations = {}
    for method, item in _items(native):
        operations[ids[item["operationId"]]] = _operation(item["operationId"], safe=method in _SAFE)
    binding = {"kind": "rest", "contract": f"{place}/native.yaml"}
    said = ours["info"]
    _manifest(draft, file, _Service(said["title"], said["version"], binding, operations, wish.data_class, wants=_wanted(native)))
    return draft


def _items(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in document.get("paths", {}).values():
        for method in METHODS:
            if method in item:
                yield method, item[method]


def _without(copy: dict[str, Any], chosen: Collection[str]) -> dict[str, Any]:
    """With the chosen operations only."""
    for key in [*copy.get("paths", {})]:
        item = copy["paths"][key]
        for method in METHODS:
            if method in item and item[method]["operationId"] not in chosen:
                del item[method]
        if not any(method in item for method in METHODS):
            del copy["paths"][key]
    return copy


def _only_json(document: dict[str, Any]) -> dict[str, Any]:
    """Where a body may be JSON or something else, JSON it is."""
    for _, item in _items(document):
        for holder in (item.get("requestBody", {}), *item.get("responses", {}).values()):
            content = holder.get("content", {}) if isinstance(holder, dict) else {}
            spoken = {media: each for media, each in content.items() if "json" in media}
            if spoken:
                holder["content"] = spoken
    return document


def _ours(native: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """Our contract: the provider's operations and schemas, without its servers, its own proofs of identity, and its errors."""
    ours = deepcopy({name: value for name, value in native.items() if name not in {"servers", "security", "webhooks", "tags"}})
    version = str(ours["info"]["version"])
    ours["info"] = {"title": ours["info"]["title"], "version": version if _VERSION.fullmatch(version) else VERSION}
    schemas = ours.get("components", {}).get("schemas", {})
    ours["components"] = {"schemas": {**schemas, PROBLEM: problem_schema()}}
    for item in ours.get("paths", {}).values():
        item.pop("servers", None)
        item["parameters"] = _in_url(item.get("parameters", []))
        for operation in (item[method] for method in METHODS if method in item):
            for name in ("security", "servers", "callbacks", "tags"):
                operation.pop(name, None)
            operation["parameters"] = _in_url(operation.get("parameters", []))
            operation["operationId"] = ids[operation["operationId"]]
            operation["responses"] = {
                "200": _reply(operation.get("responses", {})),
                **problem_responses(_fault(operation.get("responses", {}))),
            }
    return ours


def _wanted(native: Mapping[str, Any]) -> tuple[str, ...]:
    """Headers and proofs of identity that the provider asks for: they are the hub's affair, not its consumers'."""
    holders = [holder for item in native.get("paths", {}).values() for holder in (item, *(item[name] for name in METHODS if name in item))]
    parameters = [each for holder in holders for each in holder.get("parameters", ())]
    headers = [f"the header {each['name']}" for each in parameters if each.get("in") == "header" and each.get("required")]
    used = [*native.get("security", ()), *(each for holder in holders for each in holder.get("security", ()))]
    schemes = native.get("components", {}).get("securitySchemes", {})
    proofs = [f"{schemes[name].get('type')} `{name}`" for each in used for name in each if isinstance(schemes.get(name), dict)]
    return tuple(dict.fromkeys((*headers, *proofs)))


def _in_url(parameters: list[Any]) -> list[Any]:
    return [each for each in parameters if each.get("in") in {"path", "query"}]


def _reply(responses: Mapping[str, Any]) -> dict[str, Any]:
    """The good answer, under the status that the hub gives it."""
    good: dict[str, Any] = next((responses[status] for status in ANSWERS if status in responses), {})
    spoken = [holder for media, holder in good.get("content", {}).items() if "json" in media][:1]
    return {"description": good.get("description", "Trả lời / Reply"), **({"content": {JSON: spoken[0]}} if spoken else {})}


def _fault(responses: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the provider answers instead of a reply: one of the JSON bodies that it declares."""
    bad = [each.get("content", {}) for status, each in responses.items() if status not in {*ANSWERS, "204"}]
    schemas = [holder["schema"] for content in bad for media, holder in content.items() if "json" in media and "schema" in holder]
    distinct = [schema for place, schema in enumerate(schemas) if schema not in schemas[:place]]
    return None if not distinct else distinct[0] if len(distinct) == 1 else {"anyOf": distinct}


def _wsdl(ours: dict[str, Any], name: str, source: Source) -> bytes:
    """The WSDL of our contract; what SOAP cannot carry is told at its place in the provider's file."""
    try:
        major = ours["info"]["version"].partition(".")[0]
        return wsdl_of(compile_contract(ours, source, ()), f"{name.replace('_', '-')}:{major}")
    except ContractError as error:
        raise ContractError([source.finding(each.pointer, each.rule, each.reason, each.fix) for each in error.findings]) from error


# ---- what every draft has ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Service:
    """What the manifest says of the one service.

    speaks_soap: service.wsdl names its operations as the manifest does. wants: what the provider asks for that no contract of ours carries.
    """

    title: str
    version: str
    binding: Mapping[str, Any]
    operations: Mapping[str, Any]
    data_class: str
    speaks_soap: bool = True
    wants: tuple[str, ...] = ()


def _operation(native: str, *, safe: bool = False, one_way: bool = False) -> dict[str, Any]:
    return {
        "exchange": "one_way" if one_way else "request_reply",
        "native": native,
        **({"safe": True} if safe else {}),
        "mapping": IDENTITY,
    }


def _manifest(draft: Draft, file: Path, service: _Service) -> None:
    title = {"vi": service.title, "en": service.title}
    stated = {"vi": "chưa ghi", "en": "to be stated"}
    place = draft.place
    wsdl = {"wsdl": f"{place}/{MAIN}"} if service.speaks_soap else {}
    manifest = {
        "system": f"VN/GOV/DRAFT/{draft.name}",
        "title": title,
        "owner": stated,
        "legal_basis": [TO_BE_STATED],
        "contact": TO_BE_STATED,
        "tier": "provincial",
        "binding": {**service.binding, "address": f"$env.{draft.name}.url", "timeout_s": 20, "in_flight": 16},
        "services": [
            {
                "code": draft.name.replace("_", "-"),
                "version": service.version,
                "contract": f"{place}/openapi.yaml",
                **wsdl,
                "data_class": service.data_class,
                "operations": dict(service.operations),
            }
        ],
    }
    notes = "".join(f"# The provider wants {wanted}: say it in `auth.headers`.\n" for wanted in service.wants)
    draft.files[f"adapters/{draft.name}/adapter.yaml"] = _HEADER.format(file=file.name) + notes + yaml_of(manifest)


def yaml_of(value: Any) -> str:
    """YAML for people: keys in their order, letters as they are, nothing by reference."""
    return yaml.dump(value, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=140)


class _Plain(yaml.SafeDumper):
    """Writes what occurs twice twice, and quotes texts that begin like a number: YAML's versions differ about `1e3`."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True

    def text(self, value: str) -> Any:
        return self.represent_scalar("tag:yaml.org,2002:str", value, style="'" if value[:1] in _NUMERIC else None)


_Plain.add_representer(str, _Plain.text)


def _slug(title: str) -> str:
    """A folder's name of a title: `TraCuuCongDan` and `Tra cứu công dân` become `tra_cuu_cong_dan`."""
    plain = unicodedata.normalize("NFD", title.replace("đ", "d").replace("Đ", "D")).encode("ascii", "ignore").decode()
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", plain)
    words = re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_").removesuffix("_service")[:40].strip("_")
    return words if len(words) > 1 and words[0].isalpha() else f"system_{words}".strip("_")
