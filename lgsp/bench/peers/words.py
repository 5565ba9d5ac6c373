"""The dossier's mapping as a program writes it by hand: canonical to native and back, field by field."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

CHANNELS = {"online": "1", "counter": "2", "post": "3"}
GENDERS = {"male": "1", "female": "2", "other": "3"}
KINDS = {"original": "1", "copy": "2", "electronic": "3"}
STATUSES = {"DA_DANG_KY": "registered", "DANG_CHO": "queued"}
DOSSIER = {
    "code": "MaHoSo", "procedure_code": "MaTTHC", "procedure_name": "TenTTHC", "field_code": "MaLinhVuc", "field_name": "TenLinhVuc",
    "channel": "HinhThuc", "submitted_at": "NgayNop", "received_at": "NgayTiepNhan", "due_at": "NgayHenTra", "priority": "MucDoUuTien",
    "fee": "LePhi", "fee_paid": "DaThanhToan", "unit_code": "MaDonVi", "unit_name": "TenDonVi", "official_code": "MaCanBo",
    "official_name": "TenCanBo", "note": "GhiChu",
}  # fmt: skip
APPLICANT = {
    "full_name": "HoVaTen", "citizen_id": "SoDinhDanh", "birth_date": "NgaySinh", "gender": "GioiTinh", "phone": "SoDienThoai",
    "email": "ThuDienTu", "tax_code": "MaSoThue",
}  # fmt: skip
ADDRESS = {
    "street": "SoNha", "commune_code": "MaXa", "commune_name": "TenXa", "province_code": "MaTinh", "province_name": "TenTinh",
    "country_code": "MaQuocGia",
}  # fmt: skip
DOCUMENT = {
    "code": "MaGiayTo", "name": "TenGiayTo", "kind": "LoaiGiayTo", "pages": "SoTrang", "issued_on": "NgayCap", "size_bytes": "KichThuoc",
    "note": "GhiChu",
}  # fmt: skip
CODES = {"channel": CHANNELS, "gender": GENDERS, "kind": KINDS}
WORDS = {name: {theirs: ours for ours, theirs in codes.items()} for name, codes in CODES.items()}
MOMENTS = frozenset({"submitted_at", "received_at", "due_at"})
DAYS = frozenset({"birth_date", "issued_on"})
UPPER = frozenset({"full_name", "official_name"})


def native_value(name: str, value: Any) -> Any:
    """One field as the provider writes it."""
    if name in CODES:
        return CODES[name][value]
    if name in MOMENTS:
        return datetime.fromisoformat(value).strftime("%Y%m%d%H%M%S")
    if name in DAYS:
        return value.replace("-", "")
    if name == "fee":
        return Decimal(str(value))
    return value.upper() if name in UPPER else value


def canonical_value(name: str, value: Any) -> Any:
    """One field as we write it."""
    if name in WORDS:
        return WORDS[name][value]
    if name in MOMENTS:
        return datetime.strptime(value, "%Y%m%d%H%M%S").strftime("%Y-%m-%dT%H:%M:%S+07:00")  # noqa: DTZ007 -- the zone is written out
    if name in DAYS:
        return f"{value[:4]}-{value[4:6]}-{value[6:]}"
    return float(value) if name == "fee" else value


def native_fields(value: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """The fields of one object, to the provider."""
    return {names[name]: native_value(name, found) for name, found in value.items() if name in names}


def canonical_fields(value: Any, names: dict[str, str]) -> dict[str, Any]:
    """The fields of one object, from the provider; absent ones are left out."""
    pairs = ((ours, value[theirs]) for ours, theirs in names.items())
    return {ours: canonical_value(ours, found) for ours, found in pairs if found is not None}


def native_dossier(dossier: dict[str, Any]) -> dict[str, Any]:
    """The dossier as zeep takes it."""
    applicant = dossier["applicant"]
    person = native_fields(applicant, APPLICANT) | {"DiaChi": native_fields(applicant["address"], ADDRESS)}
    documents = [native_fields(document, DOCUMENT) for document in dossier["documents"]]
    return native_fields(dossier, DOSSIER) | {"NguoiNop": person, "TaiLieuNop": {"TaiLieu": documents}}


def registration(reply: Any) -> dict[str, Any]:
    """The provider's answer as our contract promises it."""
    found = reply["HoSo"]
    person = found["NguoiNop"]
    applicant = canonical_fields(person, APPLICANT) | {"address": canonical_fields(person["DiaChi"], ADDRESS)}
    documents = [canonical_fields(document, DOCUMENT) for document in found["TaiLieuNop"]["TaiLieu"]]
    dossier = canonical_fields(found, DOSSIER) | {"applicant": applicant, "documents": documents}
    return {"reception_code": reply["MaTiepNhan"], "status": STATUSES[reply["TrangThai"]], "dossier": dossier}
