"""The portal twin keeps sessions, dossiers and their order, and misbehaves to order, over real sockets."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import aiohttp
import pytest

from lgsp.twin.serve import load_twin, serving

FOLDER = Path(__file__).parents[2] / "adapters" / "national_portal"
PASSWORD = "twin-only"
DATES = {
    "NgayTiepNhan": "20260302083000",
    "NgayHenTra": "20260305170000",
    "NgayKetThucXuLy": "20260304100000",
    "NgayTra": "20260304110000",
}


class Caller:
    """One integrator: logs in and calls services, and orders faults."""

    def __init__(self, base, client):
        self.base, self.client, self.session = base, client, ""

    async def send(self, path, body, method="POST"):
        async with self.client.request(method, f"{self.base}{path}", json=body) as answer:
            return answer.status, await answer.read()

    async def login(self, password=PASSWORD):
        _, body = await self.send("/mapi/login", {"username": "twin", "password": password})
        told = json.loads(body)
        self.session = told["session"]
        return told

    async def ask(self, service, **fields):
        _, body = await self.send("/mapi/g", {"session": self.session, "madonvi": "000.00.00.H99", "service": service} | fields)
        return json.loads(body)

    async def sync(self, code="H99-1", status="2", updating="False", **fields):
        item = {"MaHoSo": code, "MaTTHC": "1.004873", "TenTTHC": "Thủ tục", "KenhThucHien": "1", "ChuHoSo": "Lê Thị Dung"}
        item |= {"LoaiDoiTuong": "1", "TrangThaiHoSo": status, "DonViXuLy": "Phường Mẫu"} | DATES | fields
        return await self.ask("DongBoHoSoMC", isUpdating=updating, data=[item])

    async def step(self, code="H99-1", status="4", **fields):
        item = {"MaHoSo": code, "NguoiXuLy": "Trần Văn Một", "ThoiDiemXuLy": "20260302090000", "NoiDungXuLy": "Thẩm định"}
        return await self.ask("CapNhatTienDoHoSoMC", data=[item | {"TrangThai": status} | fields])

    async def faults(self, **order):
        return await self.send("/_twin/faults", order, "PUT")

    async def effects(self):
        _, body = await self.send("/_twin/ledger", None, "GET")
        return json.loads(body)["counts"]


@pytest.fixture
async def caller():
    timeout = aiohttp.ClientTimeout(total=10)
    async with serving(load_twin(FOLDER)) as base, aiohttp.ClientSession(timeout=timeout) as client:
        caller = Caller(base, client)
        await caller.login()
        yield caller


def fine(told):
    return str(told["error_code"]) in {"0", "00"} and "đã tồn tại" not in told["message"]


async def test_a_wrong_password_gets_no_session(caller):
    told = await caller.login("guess")

    assert (told["error_code"], told["session"]) == (1, "")


async def test_nothing_is_served_without_a_session(caller):
    caller.session = "made-up"

    assert (await caller.sync())["error_code"] == "-1"
    assert await caller.effects() == {}


async def test_a_session_ends_with_its_time(caller):
    await caller.send("/_twin/sessions", {"ttl_s": 0.05}, "PUT")
    await caller.login()
    await asyncio.sleep(0.08)

    assert await caller.ask("TraCuuHoSo", mahoso="H99-1") == {"error_code": "-1", "message": "Phiên làm việc hết hạn", "result": []}


async def test_a_session_ends_with_its_uses(caller):
    await caller.send("/_twin/sessions", {"uses": 2}, "PUT")
    await caller.login()

    codes = [(await caller.ask("TraCuuHoSo", mahoso="H99-1"))["error_code"] for _ in range(3)]

    assert [code == "-1" for code in codes] == [False, False, True]


async def test_success_is_told_in_three_ways(caller):
    told = [(await caller.sync(f"H99-{n}"))["error_code"] for n in range(3)]

    assert sorted(map(repr, told)) == ["'0'", "'00'", "0"]


async def test_a_dossier_is_known_once_it_was_inserted(caller):
    before = await caller.ask("TraCuuHoSo", mahoso="H99-1")
    await caller.sync()
    after = await caller.ask("TraCuuHoSo", mahoso="H99-1")

    assert before["result"] == []
    assert after["result"] == [{"MaHoSo": "H99-1", "MaTTHC": "1.004873", "TrangThaiHoSo": "2"}]


async def test_a_second_insert_is_a_duplicate_in_three_ways_and_has_no_effect(caller):
    await caller.sync()

    told = [await caller.sync() for _ in range(3)]

    assert [answer["error_code"] for answer in told] == [3, "-3", 0]
    assert all("đã tồn tại" in answer["message"] for answer in told)
    assert await caller.effects() == {"H99-1": {"created": 1}}


async def test_an_update_of_an_unknown_dossier_is_refused(caller):
    told = await caller.sync(updating="True")

    assert (told["error_code"], "không tồn tại" in told["message"]) == ("-4", True)


async def test_updates_in_order_are_recorded(caller):
    told = [await caller.sync(), await caller.step(status="4"), await caller.sync(status="9", updating="True")]
    told.append(await caller.sync(status="10", updating="True"))

    assert all(map(fine, told))
    assert await caller.effects() == {"H99-1": {"created": 1, "progressed": 1, "updated": 2}}


@pytest.mark.parametrize("way", [["9"], ["1", "4"], ["2", "10"], ["2", "9", "10", "4"], ["3", "2"]])
async def test_an_illegal_order_of_statuses_is_refused(caller, way):
    first, *rest = way
    told = [await caller.sync(status=first, NgayTuChoi="20260302090000")]
    told += [await caller.sync(status=status, updating="True") for status in rest]

    assert all(map(fine, told[:-1]))
    assert told[-1]["error_code"] == -6


async def test_progress_needs_a_known_dossier_and_its_order(caller):
    unknown = await caller.step()
    await caller.sync(status="1")
    early = await caller.step(status="9")

    assert (unknown["error_code"], early["error_code"]) == ("-4", -6)


@pytest.mark.parametrize(
    "fields",
    [{"NgayHenTra": ""}, {"NgayHenTra": "2026-03-05"}, {"ChuHoSo": ""}, {"TrangThaiHoSo": "11"}, {"TrichYeuHoSo": "x" * 1001}],
)
async def test_an_item_that_breaks_the_contract_is_refused(caller, fields):
    assert (await caller.sync(**fields))["error_code"] == "-5"
    assert await caller.effects() == {}


async def test_one_bad_item_spoils_the_whole_batch(caller):
    good = {"MaHoSo": "H99-1", "MaTTHC": "1", "TenTTHC": "T", "KenhThucHien": "1", "ChuHoSo": "A", "LoaiDoiTuong": "1", "DonViXuLy": "P"}
    items = [good | {"TrangThaiHoSo": "1"}, good | {"MaHoSo": "H99-2", "TrangThaiHoSo": "9"}]

    told = await caller.ask("DongBoHoSoMC", isUpdating="False", data=items)

    assert told["error_code"] == "-5"
    assert await caller.effects() == {}


async def test_told_to_tell_rows_it_takes_each_item_by_itself(caller):
    good = {"MaHoSo": "H99-1", "MaTTHC": "1", "TenTTHC": "T", "KenhThucHien": "1", "ChuHoSo": "A", "LoaiDoiTuong": "1", "DonViXuLy": "P"}
    items = [good | {"TrangThaiHoSo": "1"}, good | {"MaHoSo": "H99-2", "TrangThaiHoSo": "9"}]
    await caller.send("/_twin/batches", {"rows": True}, "PUT")

    told = await caller.ask("DongBoHoSoMC", isUpdating="False", data=items)

    assert fine(told)
    assert [(row["MaHoSo"], str(row["error_code"]) in {"0", "00"}) for row in told["result"]] == [("H99-1", True), ("H99-2", False)]
    assert await caller.effects() == {"H99-1": {"created": 1}}
    assert json.loads((await caller.send("/_twin/batches", None, "GET"))[1])["sizes"] == [2]


@pytest.mark.parametrize(("service", "code"), [("XoaHoSo", "-9"), (None, "-9")])
async def test_an_unknown_service_is_refused(caller, service, code):
    assert (await caller.ask(service))["error_code"] == code


async def test_a_body_that_is_no_object_is_refused(caller):
    _, body = await caller.send("/mapi/g", [1])

    assert json.loads(body)["error_code"] == "-8"


async def test_reset_forgets_everything(caller):
    await caller.sync()
    await caller.send("/_twin/reset", None)

    assert await caller.effects() == {}
    assert (await caller.sync())["error_code"] == "-1"


# ---- faults to order -----------------------------------------------------------------------------------------------------------------


async def test_html_comes_as_often_as_ordered(caller):
    await caller.faults(kind="html502", count=1)
    status, page = await caller.send("/mapi/g", {})

    assert (status, page[:6]) == (502, b"<html>")
    assert fine(await caller.sync())


async def test_a_share_of_the_requests_suffers(caller):
    await caller.faults(kind="status", status=503, share=0.5)
    statuses = [(await caller.send("/mapi/g", {}))[0] for _ in range(6)]

    assert sorted(statuses) == [200, 200, 200, 503, 503, 503]


async def test_a_dropped_connection_leaves_no_effect(caller):
    await caller.faults(kind="drop", count=1)
    with pytest.raises(aiohttp.ClientConnectionError):
        await caller.sync()

    assert await caller.effects() == {}


async def test_the_answer_can_be_lost_after_the_effect(caller):
    await caller.faults(kind="drop", count=1, after_effect=True)
    with pytest.raises(aiohttp.ClientConnectionError):
        await caller.sync()

    assert await caller.effects() == {"H99-1": {"created": 1}}


async def test_slow_is_late_but_right(caller):
    await caller.faults(kind="slow", seconds=0.2, count=1)
    started = time.monotonic()
    told = await caller.sync()

    assert fine(told)
    assert time.monotonic() - started >= 0.2


async def test_an_empty_answer_is_empty(caller):
    await caller.faults(kind="empty", count=1)

    assert await caller.send("/mapi/g", {}) == (200, b"")


async def test_a_hanging_call_ends_in_a_cut(caller):
    await caller.faults(kind="hang", seconds=0.1, count=1)
    with pytest.raises(aiohttp.ClientConnectionError):
        await caller.sync()

    assert fine(await caller.sync())


async def test_a_dripping_answer_takes_its_time(caller):
    await caller.faults(kind="drip", seconds=0.002, count=1)
    started = time.monotonic()

    assert fine(await caller.sync())
    assert time.monotonic() - started > 0.1


async def test_refused_connections_are_cut_unread_and_control_still_works(caller):
    await caller.faults(kind="refuse")
    with pytest.raises(aiohttp.ClientConnectionError):
        await caller.sync()

    await caller.send("/_twin/faults", None, "DELETE")

    assert fine(await caller.sync())


async def test_a_port_that_is_down_refuses_and_comes_back(caller):
    await caller.faults(kind="down", seconds=0.3)
    await asyncio.sleep(0.1)
    with pytest.raises(aiohttp.ClientConnectorError):
        await caller.sync()

    await asyncio.sleep(0.35)

    assert fine(await caller.sync())


@pytest.mark.parametrize(
    ("order", "named"),
    [({"kind": "explode"}, "kind"), ({"kind": "slow", "seconds": -1}, "seconds"), ({"kind": "slow", "wait": 1}, "wait"), ([], "kind")],
)
async def test_an_order_that_is_not_understood_names_its_place(caller, order, named):
    status, body = await caller.send("/_twin/faults", order, "PUT")

    assert status == 400
    assert json.loads(body)["error"].startswith(named)


async def test_a_taken_port_is_told(caller):
    port = int(caller.base.rpartition(":")[2])

    with pytest.raises(OSError, match="in use"):
        async with serving(load_twin(FOLDER), port=port):
            pass
