"""The table of F35: how a provider may answer for the first time, and what the hub must make of it.

`state` is where the message comes to rest, `calls` how often the provider was asked by then: whoever is asked again answers well. A
provider that says 200 has acted, whatever else stands in the body, unless it is a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass

from lgsp.prove.oracle import KEYED, SOAP, SOAP_ONCE, UNKEYED

OK, DELIVERED, REFUSED, UNKNOWN, DEAD = 200, "delivered", "refused", "unknown", "dead"
JSON, XML, HTML = "application/json", "text/xml; charset=utf-8", "text/html"
NAMESPACE = "urn:lgsp:prove:neighbour"
PAGE = "<html><body>Lỗi cổng</body></html>"


@dataclass(frozen=True, slots=True)
class Case:
    """To which operation, with which status, type and body, and what must come of it. `{n}` in a body is the entry's number."""

    kind: str
    status: int
    media_type: str
    body: str
    state: str
    calls: int = 1
    headers: str = ""

    @property
    def acts(self) -> bool:
        """Whether the first call has an effect."""
        return self.status == OK and self.state != REFUSED

    def answer(self, number: int) -> bytes:
        """The whole HTTP answer."""
        body = self.body.replace("{n}", str(number)).encode()
        head = f"HTTP/1.1 {self.status} X\r\nContent-Type: {self.media_type}\r\nContent-Length: {len(body)}\r\n{self.headers}\r\n"
        return head.encode() + body


def envelope(body: str) -> str:
    """SOAP 1.1."""
    return f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{body}</s:Body></s:Envelope>'


def soap_reply(element: str, fields: str) -> str:
    """An answer of the neighbour."""
    return envelope(f'<{element} xmlns="{NAMESPACE}">{fields}</{element}>')


def _fault(code: str) -> str:
    return envelope(f"<s:Fault><faultcode>s:{code}</faultcode><faultstring>Lỗi thử</faultstring></s:Fault>")


GOOD, BUSINESS = '{"error_code": "0", "SoThuTu": {n}}', '{"error_code": "7", "SoThuTu": {n}, "message": "Hồ sơ không hợp lệ"}'
WELL = soap_reply("GhiMucTraLoi", "<MaLoi>0</MaLoi><SoThuTu>{n}</SoThuTu>")
WELL_ONCE = WELL.replace("GhiMucTraLoi", "GhiMotLanTraLoi")

REST_KEYED = (
    Case(KEYED, 200, JSON, GOOD, DELIVERED),
    Case(KEYED, 200, JSON, '{"error_code": "0", "SoThuTu": {n}, "moi": [1]}', DELIVERED),
    Case(KEYED, 200, JSON, BUSINESS, REFUSED),
    Case(KEYED, 400, JSON, BUSINESS, REFUSED),
    Case(KEYED, 404, HTML, PAGE, REFUSED),
    Case(KEYED, 409, JSON, BUSINESS, REFUSED),
    Case(KEYED, 422, JSON, BUSINESS, REFUSED),
    Case(KEYED, 401, JSON, "{}", DEAD),
    Case(KEYED, 403, JSON, "{}", DEAD),
    Case(KEYED, 408, JSON, "{}", DELIVERED, 2),
    Case(KEYED, 429, JSON, "{}", DELIVERED, 2, "Retry-After: 1\r\n"),
    Case(KEYED, 500, HTML, PAGE, DELIVERED, 2),
    Case(KEYED, 500, JSON, GOOD, DELIVERED, 2),
    Case(KEYED, 502, HTML, PAGE, DELIVERED, 2),
    Case(KEYED, 503, HTML, PAGE, DELIVERED, 2, "Retry-After: 1\r\n"),
    Case(KEYED, 504, HTML, PAGE, DELIVERED, 2),
    Case(KEYED, 302, HTML, PAGE, DELIVERED, 2, "Location: /elsewhere\r\n"),
    Case(KEYED, 200, HTML, PAGE, DELIVERED, 2),
    Case(KEYED, 200, JSON, "", DELIVERED, 2),
    Case(KEYED, 200, JSON, '{"error_code": "0", "SoThu', DELIVERED, 2),
    Case(KEYED, 200, JSON, '{"error_code": "0", "error_code": "7", "SoThuTu": {n}}', DELIVERED, 2),
    Case(KEYED, 200, JSON, '{"error_code": "0", "SoThuTu": NaN}', DELIVERED, 2),
    Case(KEYED, 200, JSON, "[" * 50_000 + "]" * 50_000, DELIVERED, 2),
    Case(KEYED, 200, JSON, '{"error_code": "0"}', DEAD),
    Case(KEYED, 200, JSON, '{"error_code": "0", "SoThuTu": "mười"}', DEAD),
    Case(KEYED, 200, JSON, '{"error_code": "0", "SoThuTu": 1' + "0" * 5000 + "}", DELIVERED, 2),
)
REST_UNKEYED = (
    Case(UNKEYED, 200, JSON, GOOD, DELIVERED),
    Case(UNKEYED, 200, JSON, BUSINESS, REFUSED),
    Case(UNKEYED, 400, JSON, BUSINESS, REFUSED),
    Case(UNKEYED, 401, JSON, "{}", DEAD),
    Case(UNKEYED, 429, JSON, "{}", DELIVERED, 2, "Retry-After: 1\r\n"),
    Case(UNKEYED, 503, HTML, PAGE, DELIVERED, 2),
    Case(UNKEYED, 500, HTML, PAGE, UNKNOWN),
    Case(UNKEYED, 502, HTML, PAGE, UNKNOWN),
    Case(UNKEYED, 504, HTML, PAGE, UNKNOWN),
    Case(UNKEYED, 302, HTML, PAGE, UNKNOWN, 1, "Location: /elsewhere\r\n"),
    Case(UNKEYED, 307, HTML, PAGE, DELIVERED, 2, "Location: /elsewhere\r\n"),
    Case(UNKEYED, 200, HTML, PAGE, UNKNOWN),
    Case(UNKEYED, 200, JSON, '{"error_code": "0", "SoThuTu": NaN}', UNKNOWN),
)
SOAP_CASES = (
    Case(SOAP, 200, XML, WELL, DELIVERED),
    Case(SOAP, 200, XML, soap_reply("GhiMucTraLoi", "<MaLoi>7</MaLoi><SoThuTu>{n}</SoThuTu>"), REFUSED),
    Case(SOAP, 200, XML, _fault("Client"), REFUSED),
    Case(SOAP, 500, XML, _fault("Client"), REFUSED),
    Case(SOAP, 200, XML, _fault("Server"), DELIVERED, 2),
    Case(SOAP, 500, XML, _fault("Server"), DELIVERED, 2),
    Case(SOAP, 500, HTML, PAGE, DELIVERED, 2),
    Case(SOAP, 200, HTML, PAGE, DELIVERED, 2),
    Case(SOAP, 200, XML, WELL[:-20], DELIVERED, 2),
    Case(SOAP, 200, XML, "<Khac/>", DELIVERED, 2),
    Case(SOAP, 200, XML, '<!DOCTYPE x [<!ENTITY a "b">]>' + WELL, DELIVERED, 2),
    Case(SOAP, 200, XML, soap_reply("GhiMucTraLoi", "<MaLoi>0</MaLoi>"), DEAD),
    Case(SOAP, 200, XML, soap_reply("GhiMucTraLoi", "<MaLoi>0</MaLoi><SoThuTu>mười</SoThuTu>"), DEAD),
    Case(SOAP_ONCE, 200, XML, WELL_ONCE, DELIVERED),
    Case(SOAP_ONCE, 200, XML, _fault("Client"), REFUSED),
    Case(SOAP_ONCE, 200, XML, _fault("Server"), UNKNOWN),
    Case(SOAP_ONCE, 500, XML, _fault("Server"), UNKNOWN),
    Case(SOAP_ONCE, 503, HTML, PAGE, DELIVERED, 2),
    Case(SOAP_ONCE, 200, HTML, PAGE, UNKNOWN),
)
CASES: tuple[Case, ...] = (*REST_KEYED, *REST_UNKEYED, *SOAP_CASES)


def case_of(number: int) -> Case:
    """The case of an entry."""
    return CASES[number % len(CASES)]
