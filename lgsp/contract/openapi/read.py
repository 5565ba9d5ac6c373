"""Reads an OpenAPI 3.0 or 3.1 contract into compiled operations: what may be asked, what is answered, and the functions that check both.

Everything that is wrong is told at once, with file, line and place. A path may carry a fragment (`/mapi/g#addDossier`) where a provider
serves several operations at one address; the fragment tells them apart in the contract and is never sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.contract.adapter.place import BODY, locator
from lgsp.contract.openapi.anatomy import METHODS, descend
from lgsp.contract.openapi.bundle import COMPONENTS, bundle
from lgsp.contract.openapi.names import with_names
from lgsp.contract.openapi.parameters import Parameter, compile_parameters, read_declared
from lgsp.errors import ContractError, Finding, JsonError, Violation
from lgsp.model.agreed import Wire
from lgsp.schema import compile_schema, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from lgsp.contract.source import Source

    Judged = tuple[Mapping[str, Any] | None, Callable[[Any], Sequence[Violation]]]

JSON = "application/json"
BYTES, FORM = "application/octet-stream", "multipart/form-data"
OPAQUE = (BYTES, FORM)
"""Bodies that are not read but streamed to the vault (drivers/doors/opaque.py)."""

TEMPLATES = ("{{", "{%", "{#", "<%", "${", "#{")
"""Where the template languages of programs that read contracts begin."""

ANSWERS = ("200", "201", "202", "2XX")


@dataclass(frozen=True, slots=True)
class HttpOperation:
    """One operation of an OpenAPI contract.

    media_types: JSON media types that the request body may have; empty if there is none. request_schema, reply_schema: self-contained JSON
    Schema 2020-12, or None. read_parameters: path and query texts by name to typed values, with violations. check_request, check_reply:
    violations of a decoded value. answered_by: the status whose answer that is, "" where none has a body.
    """

    name: str
    method: str
    path: str
    media_types: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    body_required: bool
    request_schema: Mapping[str, Any] | None
    reply_schema: Mapping[str, Any] | None
    read_parameters: Callable[[Mapping[str, str]], tuple[Mapping[str, Any], Sequence[Violation]]]
    check_request: Callable[[Any], Sequence[Violation]]
    check_reply: Callable[[Any], Sequence[Violation]]
    answered_by: str = ""


@dataclass(frozen=True, slots=True)
class OpenApi:
    """A contract as it was read: one self-contained OpenAPI 3.1 document, and its operations by name."""

    document: Mapping[str, Any]
    title: str
    version: str
    operations: Mapping[str, HttpOperation]


def read_openapi(path: Path, root: Path | None = None) -> OpenApi:
    """Read, bundle, convert, lint and compile a contract; raises ContractError with every finding.

    root: the folder that references must not leave; by default the contract's own.
    """
    return compile_contract(*bundle(path, root or path.parent))


def compile_contract(bundled: Mapping[str, Any], source: Source, findings: Sequence[Finding]) -> OpenApi:
    """The operations of a bundled document; `findings` are those of bundling, `source` the file whose places new ones name."""
    document = with_names(bundled)
    lint = _Lint(document, source, [*findings])
    for at, key, method, item in operations_of(document):
        lint.operation(at, key, method, item)
    for name in document.get("components", {}).get("schemas", {}):
        lint.judged({"$ref": COMPONENTS + escape(name)}, f"/components/schemas/{escape(name)}")
    if lint.findings:
        raise ContractError(list(dict.fromkeys(lint.findings)))
    return OpenApi(document, document["info"]["title"], document["info"]["version"], MappingProxyType(lint.found))


def json_wire(operation: HttpOperation) -> Wire:
    """How the operation looks on the wire when a provider offers it."""
    locate = locator(operation.path, operation.parameters)

    def write(native: Any) -> tuple[bytes, Sequence[Violation]]:
        body = native if locate is None else native.get(BODY)
        if operation.request_schema is None:
            return b"", _no_body(body or None)
        if locate is not None and BODY not in native:
            return b"", (Violation(f"/{BODY}", "is missing", "required"),) if operation.body_required else ()
        return json.encode(body), operation.check_request(body)

    def decode(body: bytes) -> Any:
        return json.decode(body) if body or operation.reply_schema is not None else None

    def check_reply(body: bytes) -> Sequence[Violation]:
        try:
            return operation.check_reply(decode(body))
        except JsonError as error:
            return (error.violation,)

    return Wire(
        method=operation.method,
        path=operation.path,
        media_type=next((media for media in operation.media_types if media not in OPAQUE), JSON),
        headers=(("Accept", JSON),),
        write=write,
        decode=decode,
        check_reply=check_reply,
        locate=locate,
    )


def for_connexion(document: Mapping[str, Any]) -> dict[str, Any]:
    """The routes of a bundled document and nothing else, in OpenAPI 3.0: connexion refuses 3.1 and would follow what it finds.

    Of operations that share one address, the first stands for all.
    """
    paths: dict[str, dict[str, Any]] = {}
    for _, key, method, item in operations_of(document):
        names = [parameter["name"] for parameter in item["parameters"] if parameter["in"] == "path"]
        route = {
            "operationId": item["operationId"],
            "parameters": [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names],
            "responses": {"default": {"description": "see the contract"}},
        }
        paths.setdefault(key.partition("#")[0], {}).setdefault(method, route)
    return {"openapi": "3.0.3", "info": {"title": "routes", "version": "1"}, "paths": paths}


def operations_of(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Pointer, path key, method and operation, parameters of the path item joined in."""
    for key, item in document.get("paths", {}).items():
        if key.startswith("x-"):
            continue
        for method in METHODS:
            if method in item:
                operation = item[method]
                own = operation.get("parameters", [])
                named = {(str(each.get("name")), str(each.get("in"))) for each in own}
                shared = [each for each in item.get("parameters", ()) if (str(each.get("name")), str(each.get("in"))) not in named]
                yield (
                    f"/paths/{escape(key)}/{method}",
                    key,
                    method,
                    {**operation, "parameters": [p for p in [*shared, *own] if "name" in p]},
                )


class _Lint:
    """Compiles operation by operation and keeps both: what was found wrong, and what could be used."""

    def __init__(self, document: Mapping[str, Any], source: Source, findings: list[Finding]) -> None:
        self.schemas: Mapping[str, Any] = document.get("components", {}).get("schemas", {})
        self.source = source
        self.findings = findings
        self.found: dict[str, HttpOperation] = {}
        self._texts(document.get("info", {}))

    def operation(self, at: str, key: str, method: str, item: dict[str, Any]) -> None:
        name = item.get("operationId")
        path = key.partition("#")[0]
        if not key.startswith("/"):
            self.fault(at, "path", "a path begins with /")
        if not isinstance(name, str) or not name:
            self.fault(at, "operation-id", "operationId must be text", "name it, or leave it out: then it is made from method and path")
            name = at
        if name in self.found:
            self.fault(f"{at}/operationId", "operation-id", f"'{name}' names two operations", "give each its own name")
        body = item.get("requestBody")
        request, check_request = self.request(body, f"{at}/requestBody") if body is not None else (None, _no_body)
        answers = self.answers(item.get("responses", {}), f"{at}/responses")
        status = next((status for status in ANSWERS if status in answers), "")
        reply, check_reply = answers.get(status, (None, _anything))
        parameters, read_parameters = self.parameters(item["parameters"], path, at)
        self.found[name] = HttpOperation(
            name=name,
            method=method.upper(),
            path=path,
            media_types=tuple(media for media in (body or {}).get("content", {}) if _is_json(media) or media in OPAQUE),
            parameters=parameters,
            body_required=bool(body and body.get("required")),
            request_schema=request,
            reply_schema=reply,
            read_parameters=read_parameters,
            check_request=check_request,
            check_reply=check_reply,
            answered_by=status,
        )

    def request(self, body: dict[str, Any], at: str) -> Judged:
        """The schema of the body and its check; what could not be validated is refused here and not when it comes."""
        schemas: list[Any] = []
        judged: Judged = (None, _no_body)
        for media, holder in body.get("content", {}).items():
            place = f"{at}/content/{escape(media)}"
            plain = media.partition(";")[0].strip().lower()
            if plain == FORM and not _has_texts_only(self.contained(holder.get("schema", True))):
                self.fault(place, "media-type", "a form is an object of texts and files", "declare each property as a string")
            elif not _is_json(media) and plain not in OPAQUE:
                self.fault(place, "media-type", "bodies of this type cannot be validated", f"offer {JSON}, or {' or '.join(OPAQUE)}")
            elif "schema" not in holder:
                self.fault(place, "media-type", "bodies of this type have no schema", "say what they are made of")
            elif schemas and holder["schema"] != schemas[0]:
                self.fault(place, "media-type", "bodies of one operation have one schema", "use the same schema for each media type")
            else:
                schemas.append(holder["schema"])
                judged = self.judged(holder["schema"], f"{place}/schema")
        return judged

    def answers(self, responses: Mapping[str, Any], at: str) -> Mapping[str, Judged]:
        """The schema of each JSON answer and its check, by status; those that are no good answer are compiled only to be linted."""
        answers: dict[str, Judged] = {}
        for status, response in responses.items():
            for media, holder in response.get("content", {}).items() if isinstance(response, dict) else ():
                if "schema" in holder:
                    judged = self.judged(holder["schema"], f"{at}/{escape(status)}/content/{escape(media)}/schema")
                    answers.update({status: judged} if _is_json(media) and status not in answers else {})
        return answers

    def parameters(self, items: list[dict[str, Any]], path: str, at: str) -> tuple[tuple[Parameter, ...], Any]:
        parameters, faults = read_declared(items, path, self.contained)
        for reason in faults:
            self.fault(f"{at}/parameters", "parameter", reason)
        try:
            return parameters, compile_parameters(parameters)
        except ContractError as error:
            for finding in error.findings:
                self.fault(f"{at}/parameters", finding.rule, f"{finding.reason}, at {finding.pointer}", finding.fix)
            return parameters, None

    def contained(self, schema: Any) -> Mapping[str, Any]:
        """The schema with everything that it references under `$defs`, so that it needs no document around it."""
        names: dict[str, None] = {}
        result = _with_definitions(schema if isinstance(schema, dict) else {"allOf": [schema]}, names)
        definitions: dict[str, Any] = {}
        while len(definitions) < len(names):
            for name in [name for name in names if name not in definitions]:
                definitions[name] = _with_definitions(self.schemas.get(name, True), names)
        return {**result, "$defs": definitions} if definitions else result

    def judged(self, schema: Any, at: str) -> Judged:
        contained = self.contained(schema)
        try:
            return contained, compile_schema(contained)
        except ContractError as error:
            for finding in error.findings:  # a fault inside of `$defs` stands in a component
                inside = "/components/schemas" + finding.pointer.removeprefix("/$defs")
                place = inside if finding.pointer.startswith("/$defs/") else at + finding.pointer
                self.fault(place, finding.rule, finding.reason, finding.fix)
            return contained, _anything

    def fault(self, at: str, rule: str, reason: str, fix: str = "") -> None:
        self.findings.append(self.source.finding(at, rule, reason, fix))

    def _texts(self, facts: Mapping[str, Any]) -> None:
        for name in ("title", "version"):
            text = facts.get(name, "")
            if not isinstance(text, str):
                self.fault(f"/info/{name}", "field", "must be text", "put it into quotation marks")
            elif any(mark in text for mark in TEMPLATES):
                self.fault(f"/info/{name}", "template", "is a template; other programs that read it would run it", "write plain text")


def _with_definitions(schema: Any, names: dict[str, None]) -> Any:
    """The schema with its references to components turned to `$defs`; their names are added to `names`."""
    if not isinstance(schema, dict):
        return schema
    result = descend(schema, "schema", "", lambda part, _kind, _at: _with_definitions(part, names))
    if "$ref" in schema:
        token = schema["$ref"].removeprefix(COMPONENTS)
        names[token.replace("~1", "/").replace("~0", "~")] = None
        result["$ref"] = f"#/$defs/{token}"
    return result


def _has_texts_only(schema: Mapping[str, Any]) -> bool:
    """Whether this is an object whose properties are strings, each said so where it stands or one reference away."""
    definitions = schema.get("$defs", {})

    def followed(part: Any) -> Any:
        return definitions.get(str(part["$ref"]).rpartition("/")[2], part) if isinstance(part, dict) and "$ref" in part else part

    whole = followed(schema)
    properties = [followed(part) for part in whole.get("properties", {}).values()] if isinstance(whole, dict) else []
    return bool(properties) and all(isinstance(part, dict) and part.get("type") == "string" for part in properties)


def _is_json(media_type: str) -> bool:
    plain = media_type.partition(";")[0].strip().lower()
    return plain == JSON or plain.endswith("+json")


def _no_body(value: Any) -> Sequence[Violation]:
    return () if value is None else (Violation("", "this operation takes no body", "body"),)


def _anything(_value: Any) -> Sequence[Violation]:
    return ()
