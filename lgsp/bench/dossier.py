"""The dossiers that the bench sends: one of about 2 kB with 5 documents, one of about 50 kB with 150; nobody in them lives."""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape

NOTE = "Bản chụp từ sổ gốc, đã đối chiếu tại bộ phận một cửa; nộp kèm theo đề nghị của cơ quan xử lý hồ sơ."
KINDS = ("original", "copy", "electronic")
SIZES = {"2kB": (5, ""), "50kB": (150, NOTE)}


def body(size: str, code: int = 1) -> bytes:
    """The JSON body of a dossier: `2kB` or `50kB`; `code` numbers it."""
    documents, note = SIZES[size]
    return json.dumps(dossier(code, documents, note), ensure_ascii=False, separators=(",", ":")).encode()


def entry() -> bytes:
    """The JSON body of an entry of progress, about 250 bytes."""
    found = {"dossier": "H00.1.5-000001-0001", "state": "Đang thẩm định", "note": NOTE}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()


def dossier(code: int, documents: int, note: str) -> dict[str, Any]:
    """A dossier in canonical form with so many documents, each with `note` where there is one."""
    return {
        "code": f"H00.1.5-{code:06d}-0001",
        "procedure_code": "1.000656.000.00.00.H00",
        "procedure_name": "Đăng ký khai sinh có yếu tố xác nhận nơi cư trú",
        "field_code": "HT-01",
        "field_name": "Hộ tịch, chứng thực",
        "channel": "online",
        "submitted_at": "2026-03-02T08:15:30+07:00",
        "received_at": "2026-03-02T09:00:00+07:00",
        "due_at": "2026-03-09T17:00:00+07:00",
        "priority": 3,
        "fee": 25000.5,
        "fee_paid": True,
        "unit_code": "000.00.15.H00",
        "unit_name": "Ủy ban nhân dân xã Thử Nghiệm",
        "official_code": "CB-0042",
        "official_name": "Trần Thị Đo Đạc",
        "applicant": applicant(),
        "note": "Người nộp đề nghị trả kết quả qua dịch vụ bưu chính công ích, nhận tại nhà riêng vào giờ hành chính.",
        "documents": [document(number, note) for number in range(1, documents + 1)],
    }


def applicant() -> dict[str, Any]:
    """The person who submits."""
    return {
        "full_name": "Nguyễn Văn Thử Nghiệm",
        "citizen_id": "000000000042",
        "birth_date": "1990-05-17",
        "gender": "female",
        "phone": "0900000042",
        "email": "thu.nghiem@hoso.example",
        "tax_code": "0000000042",
        "address": {
            "street": "Số 42, đường Đo Tốc Độ",
            "commune_code": "00042",
            "commune_name": "Xã Thử Nghiệm",
            "province_code": "00",
            "province_name": "Tỉnh Thử Nghiệm",
            "country_code": "VN",
        },
    }


def document(number: int, note: str) -> dict[str, Any]:
    """One document of the dossier."""
    found: dict[str, Any] = {
        "code": f"GT-{number:04d}",
        "name": "Giấy chứng sinh (bản điện tử do cơ sở y tế ký số)",
        "kind": KINDS[number % len(KINDS)],
        "pages": 1 + number % 4,
        "issued_on": f"2025-{1 + number % 12:02d}-15",
        "size_bytes": 48_213 + number,
    }
    return found | {"note": note} if note else found


def envelope(element: str, value: dict[str, Any]) -> bytes:
    """A value in the SOAP 1.1 envelope of a published WSDL; `element`: Clark name of the body's child."""
    space, _, name = element[1:].partition("}")
    inside = f'<{name} xmlns="{space}">{_xml(value)}</{name}>'
    return f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{inside}</s:Body></s:Envelope>'.encode()


def _xml(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(f"<{name}>{_xml(member)}</{name}>" for name, member in value.items())
    if isinstance(value, list):
        return "".join(f"<item>{_xml(item)}</item>" for item in value)
    return escape(json.dumps(value) if isinstance(value, bool) else str(value))
