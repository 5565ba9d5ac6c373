"""A stand-in for the national population database: SOAP 1.1 over a few hundred invented people.

Twin only. It asks for the headers that public integration code sends (README), reads requests with the provider's own schema, is strict
about letters (upper case, NFC) as a database index is, and answers faults as the WSDL types them. Its credentials are the constants below.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import yaml
from lxml import etree
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from starlette.requests import Request

TWIN_ONLY_USER = "twin"
TWIN_ONLY_SECRET = "twin-only"  # noqa: S105 not a secret: this program holds invented people
TWIN_ONLY_API_KEY = "twin-only"
BINDINGS = {"url": "{address}/population", "user": TWIN_ONLY_USER, "secret": TWIN_ONLY_SECRET, "api_key": TWIN_ONLY_API_KEY}
"""What a hub binds to reach this twin: the adapter's `$env` references."""

HERE = Path(__file__).parent
REQUEST_SCHEMA = HERE.parents[1] / "contracts" / "wsdl" / "population" / "v1" / "request.xsd"
ASK = "{http://dancuquocgia.bca}"
TELL = "http://www.mic.gov.vn/dancu/1.0"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
HEAD = '<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
FOOT = "</soap:Body></soap:Envelope>"
CLOCK_SKEW_S = 300
PARSER = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True, load_dtd=False)
PAGE = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
SLOW_S = 3.0

Person = dict[str, Any]


class Refusal(Exception):
    """The request is answered with a SOAP fault: whose fault, the twin's code, and a sentence."""

    def __init__(self, side: str, code: str, text: str) -> None:
        super().__init__(text)
        self.side, self.code, self.text = side, code, text


@dataclass(frozen=True, slots=True)
class Entry:
    """One person as the database holds them: what they are found by, the answer ready to send, and a part to play, if any."""

    name: str
    year: str
    date: str | None
    xml: str
    answer: str | None


class Citizens:
    """Everybody, found by 12-digit or by 9-digit number."""

    def __init__(self, rows: Iterable[tuple[Person, str | None]]) -> None:
        self.by_number: dict[str, list[Entry]] = defaultdict(list)
        for person, answer in rows:
            entry = _entry(person, answer)
            for number in {person["SoDinhDanh"], person.get("SoCMND", person["SoDinhDanh"])}:
                self.by_number[number].append(entry)

    def found(self, question: etree._Element) -> Sequence[Entry]:
        """Those whose number, name and birth are as asked; a year matches any date in it, a date anybody known by year alone."""
        number = question.findtext(f"{ASK}SoDinhDanh") or question.findtext(f"{ASK}SoCMND") or ""
        name = question.findtext(f"{ASK}HoVaTen")
        birth = question.findtext(f"{ASK}NgayThangNamSinh/*") or ""
        return [e for e in self.by_number.get(number, ()) if e.name == name and _born(e, birth)]


def twin() -> Starlette:
    """The stand-in as an ASGI application; it answers on every path. `state.ledger` is empty for ever: look-ups have no effects."""
    citizens = Citizens(people())
    schema = etree.XMLSchema(etree.parse(REQUEST_SCHEMA))

    async def answer(request: Request) -> Response:
        try:
            _check_headers(request)
            question = _question(await request.body(), schema)
            return await _respond(question, citizens.found(question))
        except Refusal as refusal:
            return _xml(fault(refusal), 500)

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])
    app.state.ledger = []
    return app


async def _respond(question: etree._Element, found: Sequence[Entry]) -> Response:
    if question.tag == f"{ASK}XacThucThongTinCongDan":
        return _xml(f"{HEAD}{_element('XacThucThongTinCongDanResponse', {'KetQuaXacThuc': {'TonTai': str(bool(found)).lower()}})}{FOOT}")
    match found[0].answer if found else None:
        case "html":
            return Response(PAGE, 502, media_type="text/html")
        case "empty":
            return Response(b"", 200, media_type="text/xml")
        case "fault_in_200":
            return _xml(fault(Refusal("Server", "HE_THONG", "Hệ thống đang bận, vui lòng thử lại sau")))
        case "slow":
            await asyncio.sleep(SLOW_S)
    return _xml(reply(entry.xml for entry in found))


def reply(people_xml: Iterable[str]) -> str:
    """The envelope around these people."""
    inside = list(people_xml)
    return (
        f'{HEAD}<TraCuuThongTinCongDanResponse xmlns="{TELL}"><CongdanCollection>{"".join(inside)}</CongdanCollection>'
        f"<SoCongDan>{len(inside)}</SoCongDan></TraCuuThongTinCongDanResponse>{FOOT}"
    )


def fault(refusal: Refusal) -> str:
    """The envelope of a SOAP fault with the typed detail of the WSDL."""
    detail = _element("LoiTraCuu", {"MaLoi": refusal.code, "MoTa": refusal.text})
    return (
        f"{HEAD}<soap:Fault><faultcode>soap:{refusal.side}</faultcode><faultstring>{escape(refusal.text)}</faultstring>"
        f"<detail>{detail}</detail></soap:Fault>{FOOT}"
    )


# ---- the door ------------------------------------------------------------------------------------------------------------------------


def _check_headers(request: Request) -> None:
    headers = request.headers
    if headers.get("soapaction") not in {'""', ""}:
        raise Refusal("Client", "SOAPACTION", 'Thiếu hoặc sai SOAPAction, phải là ""')
    if not hmac.compare_digest(headers.get("apikey", "").encode(), TWIN_ONLY_API_KEY.encode()):
        raise Refusal("Client", "APIKEY", "Thiếu hoặc sai ApiKey")
    stamp = headers.get("timestamp", "")
    if not stamp.isascii() or not stamp.isdigit() or abs(int(stamp[:15]) / 1000 - time.time()) > CLOCK_SKEW_S:  # noqa: TID251 keeps its own time
        raise Refusal("Client", "TIMESTAMP", "Thiếu, sai hoặc quá hạn Timestamp (mili giây, lệch tối đa 5 phút)")
    address = f"{request.scope['scheme']}://{headers.get('host', '')}{request.scope['path']}"
    sent = headers.get("authorization", "")
    if all(sent != authorization(url, stamp) for url in (address, address.rstrip("/"))):
        raise Refusal("Client", "AUTHORIZATION", "Sai Authorization")


def authorization(address: str, stamp: str) -> str:
    """What the caller has to send: Basic, with a digest of address, user, time and secret in the place of a password."""
    digest = hashlib.sha256(f"{address}{TWIN_ONLY_USER}{stamp}{TWIN_ONLY_SECRET}".encode()).hexdigest()
    return "Basic " + base64.b64encode(f"{TWIN_ONLY_USER}:{digest}".encode()).decode()


def _question(body: bytes, schema: etree.XMLSchema) -> etree._Element:
    try:
        envelope = etree.fromstring(body, PARSER)
    except etree.XMLSyntaxError as error:
        raise Refusal("Client", "XML", "Nội dung không phải XML hợp lệ") from error
    if envelope.getroottree().docinfo.doctype:  # type: ignore[union-attr]
        raise Refusal("Client", "XML", "Không chấp nhận DOCTYPE")
    inside = envelope.find(f"{SOAP}Body")
    if envelope.tag != f"{SOAP}Envelope" or inside is None or len(inside) != 1:
        raise Refusal("Client", "XML", "Cần một phong bì SOAP 1.1 với đúng một phần tử trong Body")
    if not schema.validate(inside[0]):
        wrong = schema.error_log[0]  # type: ignore[index]
        raise Refusal("Client", "SCHEMA", f"Sai lược đồ tại {wrong.path}: {wrong.type_name}"[:500])
    return inside[0]


def _xml(text: str, status: int = 200) -> Response:
    return Response(text, status, media_type="text/xml")


# ---- the people ----------------------------------------------------------------------------------------------------------------------


def people() -> Iterable[tuple[Person, str | None]]:
    """Those with a part to play, then invented ones, the same in every run."""
    words = yaml.load((HERE / "twin.yaml").read_bytes(), Loader=yaml.CSafeLoader)
    for row in words["scenarios"]:
        yield row["person"], row.get("answer")
    for serial in range(words["count"]):
        yield invented(serial, words), None


def invented(serial: int, words: Mapping[str, Any]) -> Person:
    """The person with this serial number; every tenth has only a year of birth, the odd ones an old number too."""
    draw = _Draw(serial)
    sex = draw.one(("male", "female"))
    year = 1940 + draw.below(75)
    person: Person = {"SoDinhDanh": _number(sex, year, 100_000 + serial)}
    if serial % 2 and year < 1998:  # noqa: PLR2004 the last years in which 9-digit cards were given out
        person["SoCMND"] = f"990{100_000 + serial:06d}"
    person["HoVaTen"] = _name(draw, sex, words)
    person |= {"GioiTinh": "1" if sex == "male" else "2", "DanToc": f"{1 + draw.below(54):02d}", "TonGiao": "00"}
    person |= {"TinhTrangHonNhan": str(1 + draw.below(4)), "NhomMau": str(1 + draw.below(4))}
    day = f"{year}{1 + draw.below(12):02d}{1 + draw.below(28):02d}"
    person["NgayThangNamSinh"] = {"Nam": str(year)} if serial % 10 == 0 else {"NgayThangNam": day}
    person["QueQuan"] = _place(draw, words)
    person["ThuongTru"] = person["NoiOHienTai"] = _place(draw, words)
    person["QuocTich"] = "VN"
    person["Cha"] = {"HoVaTen": person["HoVaTen"] | _name(draw, "male", words, family=False), "QuocTich": "VN"}
    person["Me"] = {"HoVaTen": _name(draw, "female", words), "QuocTich": "VN"}
    return person


class _Draw:
    """Choices that look like chance and are the same in every run."""

    def __init__(self, serial: int) -> None:
        self._serial, self._turn = serial, 0

    def below(self, limit: int) -> int:
        self._turn += 1
        return int.from_bytes(hashlib.sha256(f"{self._serial}/{self._turn}".encode()).digest()[:4]) % limit

    def one(self, choices: Sequence[str]) -> str:
        return choices[self.below(len(choices))]


def _number(sex: str, year: int, serial: int) -> str:
    century = (year // 100 - 19) * 2 + (sex == "female")
    return f"099{century}{year % 100:02d}{serial:06d}"


def _name(draw: _Draw, sex: str, words: Mapping[str, Any], *, family: bool = True) -> dict[str, str]:
    own = {"ChuDem": draw.one(words[sex]["middle"]), "Ten": draw.one(words[sex]["given"])}
    return {"Ho": draw.one(words["families"])} | own if family else own


def _place(draw: _Draw, words: Mapping[str, Any]) -> dict[str, str]:
    commune = f"{1 + draw.below(32_000):05d}"
    return {"MaTinhThanh": draw.one(words["provinces"]), "MaPhuongXa": commune, "ChiTiet": draw.one(words["hamlets"]), "QuocGia": "VN"}


def _entry(person: Person, answer: str | None) -> Entry:
    parts = (person["HoVaTen"].get(part, "").strip() for part in ("Ho", "ChuDem", "Ten"))
    name = unicodedata.normalize("NFC", " ".join(filter(None, parts)).upper())
    date = person["NgayThangNamSinh"].get("NgayThangNam")
    year = date[:4] if date else person["NgayThangNamSinh"]["Nam"]
    return Entry(name, year, date, person_xml(person, answer), answer)


def person_xml(person: Person, answer: str | None) -> str:
    """The element that tells this person, spoilt as their part asks."""
    match answer:
        case "invalid":
            return _element("CongDan", person | {"HoVaTen": {"Ho": person["HoVaTen"]["Ho"]}, "GioiTinh": "9"})
        case "extended":
            return _element("CongDan", person | {"NhomMauRh": "+"})
        case "nfd":
            return unicodedata.normalize("NFD", _element("CongDan", person))
    return _element("CongDan", person)


def _element(name: str, value: Mapping[str, Any] | str) -> str:
    inside = escape(value) if isinstance(value, str) else "".join(_element(*child) for child in value.items())
    namespace = f' xmlns="{TELL}"' if name in {"LoiTraCuu", "XacThucThongTinCongDanResponse"} else ""
    return f"<{name}{namespace}>{inside}</{name}>"


def _born(entry: Entry, birth: str) -> bool:
    if len(birth) == 4 or entry.date is None:  # noqa: PLR2004 yyyy
        return birth[:4] == entry.year
    return birth == entry.date
