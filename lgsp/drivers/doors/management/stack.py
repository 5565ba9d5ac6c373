"""Connexion's default stack without its traps: roles, strict bodies, places instead of values in problems, a bound on what is read.

Traps met: the stock body validator keeps the last of two equal names, takes NaN, ends deep nesting and huge numbers in 500, and echoes the
offending value (a password) in the problem; a chunked body counts as absent; a handler's Content-Type is compared literally.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from connexion import AsyncApp
from connexion.datastructures import MediaTypeDict
from connexion.exceptions import NonConformingResponse, ProblemException
from connexion.json_schema import Draft4RequestValidator
from connexion.lifecycle import ConnexionResponse
from connexion.options import SwaggerUIOptions
from connexion.resolver import Resolver
from connexion.security import NO_VALUE, AbstractSecurityHandler
from connexion.validators import JSONRequestBodyValidator, ParameterValidator
from jsonschema import Draft4Validator, ValidationError
from jsonschema.validators import extend
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from lgsp.codec.json import decode
from lgsp.drivers.doors.problems import language_of
from lgsp.errors import Fault, JsonError, Violation
from lgsp.model.happening import Reply
from lgsp.ports.office import Person
from lgsp.schema import pointer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping

    from connexion.lifecycle import ConnexionRequest
    from jsonschema.protocols import Validator
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

INSUFFICIENT = ("WWW-Authenticate", 'Bearer error="insufficient_scope"')
"""RFC 6750, section 3.1."""

BODY_BYTES = 65_536
BODY_WAIT_S = 10.0
INTERNAL = 500

Who = Callable[[str], Awaitable[Person]]
"""A session token to its owner, or a Fault."""

Tell = Callable[[Fault, str], Reply]
"""A fault and a language (vi, en) to the problem as an answer."""


def strict_app(document: dict[str, Any], operations: Mapping[str, Callable[..., Any]], who: Who, tell: Tell) -> ASGIApp:
    """An ASGI app of `document` (already parsed, so that connexion never renders it as a template) over the operations by operationId."""
    app = AsyncApp("lgsp")
    for error in (Fault, HTTPException, ProblemException, Exception):
        app.add_error_handler(error, partial(_problem, tell))
    app.add_api(
        document,
        resolver=Resolver(operations.__getitem__),
        strict_validation=True,
        swagger_ui_options=SwaggerUIOptions(serve_spec=False, swagger_ui=False),  # only what the contract names answers
        validate_responses=True,
        validator_map={"body": MediaTypeDict({"*/*json": StrictBody}), "parameter": StrictParameters},
        security_map={"bearer": partial(RoleCheck, who, required_roles(document))},
    )

    sizes = body_sizes(document)

    async def bounded(scope: Scope, receive: Receive, send: Send) -> None:  # a coroutine function: uvicorn takes a partial for ASGI 2
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        try:
            await app(*await _read_first(scope, receive, sizes.get(scope["path"], BODY_BYTES)), send)
        except Fault as fault:
            await _send(tell(fault, language_of(Headers(scope=scope).get("accept-language", ""))), send)

    return bounded


# ---- who may ---------------------------------------------------------------------------------------------------------------------------


def body_sizes(document: Mapping[str, Any]) -> Mapping[str, int]:
    """Paths that take more than BODY_BYTES, with the most that they take."""
    return {
        path: item["post"]["x-lgsp-body-bytes"] for path, item in document["paths"].items() if "x-lgsp-body-bytes" in item.get("post", {})
    }


def required_roles(document: Mapping[str, Any]) -> Mapping[str, frozenset[str]]:
    """Roles by operationId; what declares none is in the table with none, so it is refused."""
    methods = [each for item in document["paths"].values() for each in item.values() if isinstance(each, dict)]
    return {each["operationId"]: frozenset(each.get("x-lgsp-roles", ())) for each in methods if "operationId" in each}


class RoleCheck(AbstractSecurityHandler):  # type: ignore[misc]  # connexion is untyped
    """The one place that decides whether a person may: deny unless listed."""

    def __init__(self, who: Who, roles: Mapping[str, frozenset[str]]) -> None:
        self._who = who
        self._roles = roles

    def get_fn(self, _scheme: Any, _scopes: Any) -> Callable[[ConnexionRequest], Awaitable[Any]]:
        """What connexion awaits for every operation that has this scheme."""
        return self._check

    async def _check(self, request: ConnexionRequest) -> Any:
        scheme, token = self.get_auth_header_value(request)
        if scheme != "bearer":
            return NO_VALUE
        person = await self._who(token)
        operation = request.scope["extensions"]["connexion_routing"]["operation_id"]
        if person.role not in self._roles.get(operation, frozenset()):
            raise Fault("role-missing", f"the role {person.role} may not {operation}", headers=(INSUFFICIENT,))
        return {"sub": person.name, "role": person.role}


# ---- what may come in ------------------------------------------------------------------------------------------------------------------


def _whole(validator: Validator, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """`pattern` where `$` means the end: Python's also matches before a last line feed."""
    if isinstance(instance, str) and instance.endswith("\n"):
        yield ValidationError("ends with a line feed")
    else:
        yield from Draft4Validator.VALIDATORS["pattern"](validator, pattern, instance, schema)


WholeText = extend(Draft4Validator, {"pattern": _whole})
WholeRequest = extend(Draft4RequestValidator, {"pattern": _whole})


class StrictBody(JSONRequestBodyValidator):  # type: ignore[misc]  # connexion is untyped
    """A JSON body that means one thing only, refused by place and rule, never by echoing the value."""

    async def _parse(self, stream: AsyncGenerator[bytes, None], scope: Scope) -> Any:  # noqa: ARG002  connexion's signature
        body = b"".join([part async for part in stream])
        if not body:
            return None
        try:
            return decode(body)
        except JsonError as error:
            raise Fault("malformed-body", str(error)) from error

    def _validate(self, body: Any) -> None:
        if body is None:
            raise Fault("malformed-body", "the body is empty")
        found = [_violation(error) for error in WholeRequest(self._schema).iter_errors(body)]
        if found:
            raise Fault("body-invalid", errors=found)


class StrictParameters(ParameterValidator):  # type: ignore[misc]  # connexion is untyped
    """Parameters, refused by name and rule; the stock validator puts the value into its answer."""

    @staticmethod
    def validate_parameter(parameter_type: str, value: Any, param: Mapping[str, Any], param_name: str | None = None) -> None:  # noqa: ARG004
        """Raise a Fault for the first rule that the value breaks."""
        place = f"/{parameter_type}/{param['name']}"
        if value is None:
            if param.get("required"):
                raise Fault("parameter-invalid", errors=[Violation(place, "is required", "required")])
            return
        found = [Violation(place, _reason(error), str(error.validator)) for error in WholeText(param["schema"]).iter_errors(value)]
        if found:
            raise Fault("parameter-invalid", errors=found)


def _violation(error: ValidationError) -> Violation:
    return Violation(pointer(list(error.absolute_path)), _reason(error), str(error.validator))


def _reason(error: ValidationError) -> str:
    """The broken rule in words; only the contract's own text, nothing that was sent."""
    rule, limit = error.validator, error.validator_value
    if rule == "required":
        absent = [name for name in limit if isinstance(error.instance, dict) and name not in error.instance]
        return f"lacks {', '.join(absent)}"
    if rule == "additionalProperties":
        return "has a member that the contract does not know"
    return f"breaks {rule}: {limit}"


async def _read_first(scope: Scope, receive: Receive, most_bytes: int) -> tuple[Scope, Receive]:
    """Read the body, up to a bound in bytes and time, and hand it on in one piece with its length."""
    try:
        async with asyncio.timeout(BODY_WAIT_S):
            body = await _read(receive, most_bytes)
    except TimeoutError as error:
        raise Fault("malformed-request", "the body did not arrive in time") from error
    kept = [header for header in scope["headers"] if header[0] not in {b"content-length", b"transfer-encoding"}]
    headers = [*kept, (b"content-length", str(len(body)).encode())] if body else kept
    return {**scope, "headers": headers}, _replayed(body, receive)


async def _read(receive: Receive, most_bytes: int) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most_bytes:
            raise Fault("body-too-large", f"the limit is {most_bytes} bytes", headers=(("Connection", "close"),))
        if not message.get("more_body"):
            return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


# ---- what goes out when it fails -------------------------------------------------------------------------------------------------------


async def _problem(tell: Tell, request: ConnexionRequest, error: Exception) -> ConnexionResponse:
    """Any error of the stack as a problem in the caller's language."""
    reply = tell(_fault(error), language_of(request.headers.get("accept-language", "")))
    kind = "application/problem+json"
    headers = {name: value for name, value in reply.headers if name != "Content-Type"}
    return ConnexionResponse(reply.status, kind, kind, body=reply.body, headers={**headers, **_allow(error)})


STATUSES: Mapping[int, str] = {
    401: "session-missing",
    403: "role-missing",
    404: "not-found",
    405: "method-not-allowed",
    415: "media-type-unsupported",
}


def _fault(error: Exception) -> Fault:
    if isinstance(error, Fault):
        return error
    status = error.status_code if isinstance(error, HTTPException) else INTERNAL
    if status >= INTERNAL or isinstance(error, NonConformingResponse):
        structlog.get_logger(logger="lgsp.management").error("internal_error", exc_info=error)
        return Fault("internal-error")
    return Fault(STATUSES.get(status, "malformed-request"))


def _allow(error: Exception) -> dict[str, str]:
    headers = getattr(error, "headers", None)
    return {"Allow": headers["Allow"]} if isinstance(headers, dict) and "Allow" in headers else {}


async def _send(reply: Reply, send: Send) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
