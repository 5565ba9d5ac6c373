"""From Swagger 2.0 to OpenAPI 3.0, one document or one part at a time; nothing is followed, references only get their new addresses.

Source: Swagger 2.0 specification; OpenAPI 3.0.4. Places move: `/definitions` is `/components/schemas`, a body parameter is `requestBody`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
JSON = "application/json"
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
MOVED = {"#/definitions/": "#/components/schemas/", "#/parameters/": "#/components/parameters/", "#/responses/": "#/components/responses/"}
STYLES = {"csv": ("form", False), "multi": ("form", True), "ssv": ("spaceDelimited", False), "pipes": ("pipeDelimited", False)}
FLOWS = {"accessCode": "authorizationCode", "application": "clientCredentials", "implicit": "implicit", "password": "password"}
VALUE = frozenset(("type", "format", "items", "default", "enum", "pattern", "multipleOf", "uniqueItems")) | frozenset(
    ("maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength", "maxItems", "minItems")
)
"""Fields of a parameter or header that OpenAPI 3 puts into its schema."""


def is_swagger(document: Any) -> bool:
    """Whether this is Swagger 2.0."""
    return isinstance(document, dict) and document.get("swagger") in ("2.0", 2.0)  # a tuple: whatever stands there may be compared


def upgrade_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same contract in OpenAPI 3.0."""
    consumes, produces = _texts(document, "consumes", [JSON]), _texts(document, "produces", [JSON])
    shared = _members(document, "parameters")
    bodies = {name: each for name, each in shared.items() if isinstance(each, dict) and each.get("in") in ("body", "formData")}
    operations = _Operations(consumes, produces, bodies)
    result = {name: value for name, value in document.items() if name in ("info", "tags", "externalDocs", "security") or name[:2] == "x-"}
    result |= {"openapi": "3.0.3", "servers": _servers(document)}
    result["paths"] = {path: operations.path(item) for path, item in _members(document, "paths").items()}
    result["components"] = {
        "schemas": {name: upgrade_swagger_schema(each) for name, each in _members(document, "definitions").items()},
        "parameters": {name: upgrade_parameter(each) for name, each in shared.items() if name not in bodies},
        "responses": {name: upgrade_response(each, produces) for name, each in _members(document, "responses").items()},
        "securitySchemes": {name: _scheme(each) for name, each in _members(document, "securityDefinitions").items()},
    }
    return result


def moved_lines(lines: Mapping[str, int]) -> dict[str, int]:
    """The lines of a Swagger document by the places of the upgraded one."""
    found = dict(lines)
    for old, new in MOVED.items():
        found |= {new[1:-1] + at.removeprefix(old[1:-1]): line for at, line in lines.items() if f"{at}/".startswith(old[1:])}
    return found


class _Operations:
    """What operations inherit from the document: media types, and the parameters that have become bodies."""

    def __init__(self, consumes: Sequence[str], produces: Sequence[str], bodies: Mapping[str, Any]) -> None:
        self._consumes = consumes
        self._produces = produces
        self._bodies = bodies

    def path(self, item: Any) -> Any:
        """A path item; bodies that it shares go to each of its operations."""
        if not isinstance(item, dict):
            return item
        plain, bodies = self._told_apart(item.get("parameters"))
        kept = {name: value for name, value in item.items() if name not in (*METHODS, "parameters")}
        operations = {name: self._operation(item[name], bodies) for name in METHODS if name in item}
        return {**kept, **({"parameters": plain} if plain else {}), **operations}

    def _operation(self, operation: Any, inherited: Sequence[Mapping[str, Any]]) -> Any:
        if not isinstance(operation, dict):
            return operation
        plain, bodies = self._told_apart(operation.get("parameters"))
        produces = operation.get("produces", self._produces)
        kept = {
            name: value for name, value in operation.items() if name not in ("consumes", "produces", "schemes", "parameters", "responses")
        }
        answers = operation.get("responses")
        responses = {status: upgrade_response(each, produces) for status, each in answers.items()} if isinstance(answers, dict) else answers
        body = _body([*inherited, *bodies], operation.get("consumes", self._consumes))
        return {**kept, "parameters": plain, **({"requestBody": body} if body else {}), "responses": responses}

    def _told_apart(self, parameters: Any) -> tuple[list[Any], list[Mapping[str, Any]]]:
        """Those that stay parameters, and those that become the body."""
        plain: list[Any] = []
        bodies: list[Mapping[str, Any]] = []
        for each in parameters if isinstance(parameters, list) else ():
            reference = str(each.get("$ref", "")) if isinstance(each, dict) else ""
            meant = self._bodies.get(reference.removeprefix("#/parameters/"), each) if reference else each
            if isinstance(meant, dict) and meant.get("in") in ("body", "formData"):
                bodies.append(meant)
            else:
                plain.append(upgrade_parameter(each))
        return plain, bodies


def upgrade_parameter(parameter: Any) -> Any:
    """A parameter that is no body, or a reference to one; what is in the form of OpenAPI 3 stays."""
    if not isinstance(parameter, dict) or "schema" in parameter or "content" in parameter:
        return parameter
    if "$ref" in parameter:
        return {"$ref": _address(parameter["$ref"])}
    kept = {name: value for name, value in parameter.items() if name not in VALUE | {"collectionFormat", "allowEmptyValue"}}
    kept["schema"] = upgrade_swagger_schema({name: value for name, value in parameter.items() if name in VALUE})
    if parameter.get("type") == "array" and parameter.get("in") == "query":
        kept["style"], kept["explode"] = STYLES.get(str(parameter.get("collectionFormat")), STYLES["csv"])
    return kept


def upgrade_response(response: Any, produces: Sequence[str]) -> Any:
    """A response, or a reference to one."""
    if not isinstance(response, dict):
        return response
    if "$ref" in response:
        return {"$ref": _address(response["$ref"])}
    kept = {name: value for name, value in response.items() if name not in ("schema", "examples", "headers")}
    examples = _members(response, "examples")
    schema = {"schema": upgrade_swagger_schema(response["schema"])} if "schema" in response else {}
    media_types = dict.fromkeys([*(produces if schema else ()), *examples])
    if media_types:
        kept["content"] = {media: {**schema, **({"example": examples[media]} if media in examples else {})} for media in media_types}
    if "headers" in response:
        kept["headers"] = {name: upgrade_parameter(each) for name, each in _members(response, "headers").items()}
    return kept


def upgrade_swagger_schema(schema: Any) -> Any:
    """A schema object with what it holds: references moved, files as binary texts, the discriminator as an object, `x-nullable` plain."""
    if isinstance(schema, list):
        return [upgrade_swagger_schema(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: _inside(name, value) for name, value in schema.items() if name != "x-nullable"}
    if isinstance(schema.get("$ref"), str):
        result["$ref"] = _address(schema["$ref"])
    if schema.get("type") == "file":
        result |= {"type": "string", "format": "binary"}
    if isinstance(schema.get("discriminator"), str):
        result["discriminator"] = {"propertyName": schema["discriminator"]}
    if schema.get("x-nullable") is True:
        result["nullable"] = True
    return result


def _inside(name: str, value: Any) -> Any:
    if name == "properties" and isinstance(value, dict):
        return {field: upgrade_swagger_schema(each) for field, each in value.items()}
    return upgrade_swagger_schema(value) if name in ("items", "allOf", "additionalProperties") else value


def _body(parameters: Sequence[Mapping[str, Any]], consumes: Sequence[str]) -> dict[str, Any]:
    """The body of an operation: its body parameter, or the fields of its form."""
    whole = next((each for each in parameters if each.get("in") == "body"), None)
    if whole is not None:
        content = {media: {"schema": upgrade_swagger_schema(whole.get("schema", {}))} for media in consumes}
        described = {"description": whole["description"]} if "description" in whole else {}
        return {**described, "required": bool(whole.get("required")), "content": content}
    fields = [each for each in parameters if each.get("in") == "formData"]
    if not fields:
        return {}
    has_file = any(each.get("type") == "file" for each in fields)
    properties = {str(each.get("name")): upgrade_parameter({**each, "in": "form"})["schema"] for each in fields}
    required = [str(each.get("name")) for each in fields if each.get("required")]
    schema = {"type": "object", "properties": properties, **({"required": required} if required else {})}
    media_types = [media for media in consumes if media in (FORM, MULTIPART)] or [MULTIPART if has_file else FORM]
    return {"required": bool(required), "content": {media: {"schema": schema} for media in media_types}}


def _address(reference: Any) -> Any:
    """Where a referenced part of this document stands now."""
    for old, new in MOVED.items():
        if isinstance(reference, str) and reference.startswith(old):
            return new + reference.removeprefix(old)
    return reference


def _servers(document: Mapping[str, Any]) -> list[dict[str, str]]:
    path, host = str(document.get("basePath", "/")).rstrip("/"), document.get("host")
    return [{"url": f"{scheme}://{host}{path}"} for scheme in _texts(document, "schemes", ["https"])] if host else [{"url": path or "/"}]


def _scheme(scheme: Any) -> Any:
    """A security definition."""
    if not isinstance(scheme, dict):
        return scheme
    described = {name: value for name, value in scheme.items() if name == "description" or name[:2] == "x-"}
    if scheme.get("type") == "basic":
        return {**described, "type": "http", "scheme": "basic"}
    if scheme.get("type") != "oauth2":
        return scheme
    flow = {name: scheme[name] for name in ("authorizationUrl", "tokenUrl") if name in scheme}
    flow["scopes"] = _members(scheme, "scopes")
    return {**described, "type": "oauth2", "flows": {FLOWS.get(str(scheme.get("flow")), "implicit"): flow}}


def _members(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The map at `name`; what is none holds nothing."""
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def _texts(holder: Mapping[str, Any], name: str, otherwise: Sequence[str]) -> Sequence[str]:
    """The list of texts at `name`."""
    found = holder.get(name)
    return [str(each) for each in found] if isinstance(found, list) else otherwise
