"""openapi-python-client's clients of the OpenAPI documents that the hub publishes; prints what they understood as one JSON object."""

import json
import sys

from citizens_client import AuthenticatedClient
from citizens_client.api.citizens import citizen_lookup
from kho_client import AuthenticatedClient as StoreClient
from kho_client.api.default import luu_ho_so, xem_ho_so
from kho_client.models import GiayTo, HoSo
from nguoi_dan_client import AuthenticatedClient as PeopleClient
from nguoi_dan_client.api.default import find
from nguoi_dan_client.models import Find, Found, Tag, Trouble

hub, token = sys.argv[1:]


def fault(problem) -> str:
    """Slug and title of a typed problem."""
    return f"{problem.type_.rpartition('/')[2]} {problem.title}"


def look_up(purpose: str):
    """The citizen, or the problem."""
    client = AuthenticatedClient(base_url=f"{hub}/citizens/1", token=token, headers={"Accept-Language": "en"})
    return citizen_lookup.sync(
        client=client,
        body={"citizen_id": "099090000001", "full_name": "Nguyễn Văn An", "birth_date": "1990-05-17"},
        lgsp_purpose=purpose,
        lgsp_official="CB001",
        lgsp_public_service="1.000001",
        lgsp_dossier="H99.1-261123-0001",
    )


name = look_up("receive-dossier").citizens[0].name
store = StoreClient(base_url=f"{hub}/kho/1", token=token, headers={"Accept-Language": "en"})
dossier = HoSo(ma="PY-1", so_trang=12, le_phi=15000.5, giay_to=[GiayTo(loai="Đơn đề nghị"), GiayTo(loai="CCCD")])
kept = luu_ho_so.sync(client=store, body=dossier)
missing = xem_ho_so.sync(client=store, ma="không có")

people = PeopleClient(base_url=f"{hub}/nguoi-dan/1", token=token)
person = find.sync(client=people, body=Find(id="001", year=1990, tag=[Tag(kind=7, text="mới")]))
trouble = find.sync(client=people, body=Find(id="404"))
if not isinstance(person, Found) or person.person[0].name != "Nguyễn Văn An 7":
    sys.exit(f"of the WSDL's answer: {person}")
if trouble.provider_fault.detail != Trouble(number=404):
    sys.exit(f"of the WSDL's fault: {trouble}")

print(  # noqa: T201  # the test reads it
    json.dumps(
        {
            "citizen": f"{name.family} {name.middle} {name.given}",
            "pages": kept.so_trang,
            "fee": str(kept.le_phi),
            "papers": [paper.loai for paper in kept.giay_to],
            "faults": [fault(look_up("marketing")), fault(missing)],
            "trouble": trouble.provider_fault.detail.number,
        },
        ensure_ascii=False,
    ),
)
