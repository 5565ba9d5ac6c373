"""A stand-in for the national public service portal: sessions, dossiers with their status order, and its ways of saying no.

Twin only. Two more control routes than every twin has: `PUT /_twin/sessions {"ttl_s"?, "uses"?}` makes sessions end sooner;
`PUT /_twin/batches {"rows": true}` lets an answer to several dossiers tell of each, and GET shows how many came in each call. Its
credentials are the constants below.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import yaml
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.requests import Request

TWIN_ONLY_USER = "twin"
TWIN_ONLY_SECRET = "twin-only"  # noqa: S105 not a secret: this program holds invented dossiers
BINDINGS = {"url": "{address}", "username": TWIN_ONLY_USER, "password": TWIN_ONLY_SECRET, "madonvi": "000.00.00.H99"}
"""What a hub binds to reach this twin: the adapter's `$env` references."""

CONTRACT = Path(__file__).parents[2] / "contracts" / "openapi" / "national_portal" / "v1" / "native.yaml"

SESSION_S = 300.0

# Which statuses must have been seen before this one (2 received, 9 processed, 10 returned), and which end a dossier's way.
BEFORE = {4: 2, 5: 2, 6: 2, 8: 2, 9: 2, 10: 9}
LAST = {3, 10}
# Dates that a status cannot do without.
RECEIVED = ("NgayTiepNhan", "NgayHenTra")
DATES: Mapping[int, tuple[str, ...]] = {
    **dict.fromkeys((2, 4, 5, 6, 7, 8), RECEIVED),
    3: ("NgayTuChoi",),
    9: (*RECEIVED, "NgayKetThucXuLy"),
    10: (*RECEIVED, "NgayKetThucXuLy", "NgayTra"),
}


class Refusal(Exception):
    """The portal says no: its code, as a number or as a string, and its words."""

    def __init__(self, code: str | int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class SessionRules:
    """How long a session lives and how often it may be used (None: no limit)."""

    ttl_s: float = SESSION_S
    uses: int | None = None


@dataclass(slots=True)
class Dossier:
    """What the portal remembers of a dossier."""

    item: dict[str, Any]
    seen: set[int]
    status: int


@dataclass(slots=True)
class Portal:
    """Everything that the stand-in remembers. `ledger` only grows: one row for each effect."""

    rules: SessionRules = field(default_factory=SessionRules)
    sessions: dict[str, tuple[float, int]] = field(default_factory=dict)
    dossiers: dict[str, Dossier] = field(default_factory=dict)
    ledger: list[dict[str, Any]] = field(default_factory=list)
    tells_rows: bool = False
    sizes: list[int] = field(default_factory=list)

    def reset(self) -> None:
        """Forget everything."""
        self.rules = SessionRules()
        self.sessions.clear()
        self.dossiers.clear()
        self.ledger.clear()
        self.tells_rows = False
        self.sizes.clear()

    def record(self, effect: str, item: Mapping[str, Any]) -> None:
        """Note an effect with the digest of what caused it."""
        text = json.dumps(item, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        row = {"seq": len(self.ledger) + 1, "key": item["MaHoSo"], "effect": effect, "sha256": hashlib.sha256(text.encode()).hexdigest()}
        self.ledger.append(row)


class Services:
    """What the portal does, one method a service. Its success codes and duplicate codes take turns, as integrators have seen them."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.fine: cycle[str | int] = cycle(("0", "00", 0))
        self.duplicate: cycle[str | int] = cycle((3, "-3", 0))
        self.by_name: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "TraCuuHoSo": self.look_up,
            "DongBoHoSoMC": self.synchronise,
            "CapNhatTienDoHoSoMC": self.progress,
        }
        self.validators = _validators()

    def login(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A session for the right user, error 1 for anybody else."""
        if (body.get("username"), body.get("password")) != (TWIN_ONLY_USER, TWIN_ONLY_SECRET):
            return {"session": "", "error_code": 1, "message": "Sai tên đăng nhập hoặc mật khẩu"}
        session = secrets.token_hex(16)
        rules = self.portal.rules
        self.portal.sessions[session] = (time.monotonic() + rules.ttl_s, -1 if rules.uses is None else rules.uses)
        return {"session": session, "error_code": next(self.fine)}

    def serve(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What the service named in the body answers."""
        self._check_session(body.get("session"))
        service = self.by_name.get(str(body.get("service")))
        if service is None:
            raise Refusal("-9", "Dịch vụ không được hỗ trợ")
        problem = next(self.validators[body["service"]].iter_errors(dict(body)), None)
        if problem is not None:
            raise Refusal("-5", f"Dữ liệu không hợp lệ tại {_pointer(problem.instance_path)}: {problem.kind.name}")
        return service(body)

    def look_up(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The dossier, or an empty result."""
        known = self.portal.dossiers.get(body["mahoso"])
        if known is None:
            return {"error_code": next(self.fine), "message": "Không tìm thấy hồ sơ", "result": []}
        row = {"MaHoSo": body["mahoso"], "MaTTHC": known.item["MaTTHC"], "TrangThaiHoSo": str(known.status)}
        return {"error_code": next(self.fine), "message": "Thành công", "result": [row]}

    def synchronise(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Insert or update all of `data`, or none of it; or each by itself, where the answer tells rows."""
        updating = body["isUpdating"] == "True"
        self.portal.sizes.append(len(body["data"]))
        if self.portal.tells_rows and len(body["data"]) > 1:
            rows = [self._one(item, updating=updating) for item in body["data"]]
            return {"error_code": next(self.fine), "message": "Đã xử lý danh sách hồ sơ", "result": rows}
        for item in body["data"]:
            self._check_dossier(item, updating=updating)
        for item in body["data"]:
            self._keep(item, updating=updating)
        return {"error_code": next(self.fine), "message": "Đồng bộ hồ sơ thành công", "result": []}

    def _one(self, item: Mapping[str, Any], *, updating: bool) -> dict[str, Any]:
        """The row that tells what became of one item among others."""
        try:
            self._check_dossier(item, updating=updating)
        except Refusal as refusal:
            return {"MaHoSo": item["MaHoSo"], "error_code": refusal.code, "message": refusal.message}
        self._keep(item, updating=updating)
        return {"MaHoSo": item["MaHoSo"], "error_code": next(self.fine), "message": "Đồng bộ hồ sơ thành công"}

    def _keep(self, item: Mapping[str, Any], *, updating: bool) -> None:
        seen = self.portal.dossiers[item["MaHoSo"]].seen if updating else set()
        status = int(item["TrangThaiHoSo"])
        self.portal.dossiers[item["MaHoSo"]] = Dossier(dict(item), seen | {status}, status)
        self.portal.record("updated" if updating else "created", item)

    def progress(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Record all steps in `data`, or none."""
        for item in body["data"]:
            if item["MaHoSo"] not in self.portal.dossiers:
                raise Refusal("-4", f"Hồ sơ {item['MaHoSo']} không tồn tại")
            self._check_order(item["MaHoSo"], int(item["TrangThai"]))
        for item in body["data"]:
            known = self.portal.dossiers[item["MaHoSo"]]
            known.status = int(item["TrangThai"])
            known.seen.add(known.status)
            self.portal.record("progressed", item)
        return {"error_code": next(self.fine), "message": "Cập nhật tiến độ thành công", "result": []}

    def _check_session(self, session: Any) -> None:
        ends, uses = self.portal.sessions.get(str(session), (0.0, 0))
        if ends <= time.monotonic() or uses == 0:
            self.portal.sessions.pop(str(session), None)
            raise Refusal("-1", "Phiên làm việc hết hạn")
        self.portal.sessions[str(session)] = (ends, uses - 1 if uses > 0 else uses)

    def _check_dossier(self, item: Mapping[str, Any], *, updating: bool) -> None:
        code, status = item["MaHoSo"], int(item["TrangThaiHoSo"])
        known = code in self.portal.dossiers
        if known and not updating:
            raise Refusal(next(self.duplicate), f"Hồ sơ {code} đã tồn tại trên hệ thống")
        if updating and not known:
            raise Refusal("-4", f"Hồ sơ {code} không tồn tại")
        missing = [name for name in DATES.get(status, ()) if not item.get(name)]
        if missing:
            raise Refusal("-5", f"Thiếu {', '.join(missing)} ở trạng thái {status}")
        self._check_order(code, status)

    def _check_order(self, code: str, status: int) -> None:
        known = self.portal.dossiers.get(code)
        seen = known.seen if known else set()
        before = BEFORE.get(status)
        if before is not None and before not in seen:
            raise Refusal(-6, f"Trạng thái không hợp lệ: {status} phải đi sau {before}")
        if known and known.status in LAST and status != known.status:
            raise Refusal(-6, f"Trạng thái không hợp lệ: hồ sơ đã kết thúc ở {known.status}")


def twin() -> Starlette:
    """The stand-in as an ASGI application; `state.ledger` and `state.reset` are its control face's."""
    portal = Portal()
    services = Services(portal)

    async def login(request: Request) -> JSONResponse:
        return _answer(services.login, await request.body())

    async def serve(request: Request) -> JSONResponse:
        return _answer(services.serve, await request.body())

    async def rule(request: Request) -> JSONResponse:
        try:
            portal.rules = _rules(await request.body())
        except Refusal as refusal:
            return JSONResponse({"error": refusal.message}, 400)
        return JSONResponse({"ttl_s": portal.rules.ttl_s, "uses": portal.rules.uses})

    async def batches(request: Request) -> JSONResponse:
        if request.method == "PUT":
            try:
                portal.tells_rows = bool(_object(await request.body()).get("rows"))
            except Refusal as refusal:
                return JSONResponse({"error": refusal.message}, 400)
        return JSONResponse({"rows": portal.tells_rows, "sizes": portal.sizes})

    app = Starlette(
        routes=[
            Route("/mapi/login", login, methods=["POST"]),
            Route("/mapi/g", serve, methods=["POST"]),
            Route("/_twin/sessions", rule, methods=["PUT"]),
            Route("/_twin/batches", batches, methods=["GET", "PUT"]),
        ],
    )
    app.state.ledger, app.state.reset = portal.ledger, portal.reset
    return app


def _answer(verb: Callable[[Mapping[str, Any]], dict[str, Any]], body: bytes) -> JSONResponse:
    try:
        return JSONResponse(verb(_object(body)))
    except Refusal as refusal:
        return JSONResponse({"error_code": refusal.code, "message": refusal.message, "result": []})


def _object(body: bytes) -> dict[str, Any]:
    try:
        question = json.loads(body)
    except ValueError as error:
        raise Refusal("-8", "Nội dung không phải JSON") from error
    if not isinstance(question, dict):
        raise Refusal("-8", "Nội dung không phải đối tượng JSON")
    return question


def _rules(body: bytes) -> SessionRules:
    order = _object(body)
    ttl_s, uses = order.pop("ttl_s", SESSION_S), order.pop("uses", None)
    if order or not isinstance(ttl_s, (int, float)) or not isinstance(uses, (int, type(None))):
        raise Refusal("-8", "ttl_s (seconds) and uses (a whole number or null) expected, nothing else")
    return SessionRules(ttl_s, uses)


def _validators() -> Mapping[str, jsonschema_rs.Validator]:
    """The request schemas of the native contract, by service."""
    contract = yaml.load(CONTRACT.read_bytes(), Loader=yaml.CSafeLoader)
    requests = {
        path.partition("#")[2]: item["post"]["requestBody"]["content"]["application/json"]["schema"]
        for path, item in contract["paths"].items()
        if "#" in path
    }
    kept = {"components": contract["components"]}
    return {name: jsonschema_rs.validator_for(schema | kept, offline=True) for name, schema in requests.items()}


def _pointer(path: Sequence[str | int]) -> str:
    return "/" + "/".join(map(str, path))
