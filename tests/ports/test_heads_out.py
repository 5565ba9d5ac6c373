"""Sending, HeadKeeper, and the couriers: signed heads reach a folder, a mailbox and another hub, and it shows where they do not."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from lgsp.drivers.checkers import Checkers
from lgsp.drivers.couriers import Courier, FolderRecipient, HubRecipient, MailRecipient, recipients
from lgsp.drivers.sealer import Sealer, SigningKeys
from lgsp.errors import SettingsError
from lgsp.evidence import verifier
from lgsp.evidence.batch import shown_head
from lgsp.model.evidence import Confirmed, Head
from lgsp.ports.evidence import Archive
from tests.e2e.management_door import listening
from tests.unit.office import digest, make_office

HUB, MAC_KEY = "https://hub.example", b"m" * 32
HEAD = Head(3, 7, b"r" * 32, "2026-11-26T00:00:00.000000Z", "ab" * 32, b"s" * 64)


class Told:
    """What the metric would say."""

    def __init__(self):
        self.ages = {}

    def __call__(self, recipient, age_s):
        self.ages[recipient] = age_s


@pytest.fixture
def archive(store):
    return Archive(store, store, SigningKeys(store), Checkers(MAC_KEY, 1), store, store, store, HUB, digest)


async def sealed(store, make, clock, count=1):
    for _ in range(count):
        row = make.opened()
        await store.opened(row)
        await store.closed(make.closed(row.message_id))
    await Sealer(store, HUB, MAC_KEY, SigningKeys(store).newest).seal_due("a", clock, os.urandom)


async def test_one_node_sends_and_what_was_confirmed_stays(store, clock):
    first = [await store.take_sending("x", clock(), 60.0), await store.take_sending("x", clock(), 60.0)]
    await store.confirm("x", 4, clock() + 1)
    clock.at += 61

    again = await store.take_sending("x", clock(), 60.0)

    assert first == [Confirmed(0, clock() - 61), None]
    assert again == Confirmed(4, clock() - 60)


async def test_a_head_is_kept_once_and_another_of_its_size_is_a_contradiction(store):
    kept = [await store.witness("https://a", HEAD), await store.witness("https://a", HEAD)]

    other = await store.witness("https://a", replace(HEAD, root=b"x" * 32))

    assert (kept, other) == ([True, True], False)
    assert await store.witnessed("https://a", 0, 10) == [HEAD]
    assert await store.witnessed("https://a", 3, 10) == []


async def test_a_folder_gets_each_newest_head_as_a_file_that_the_verifier_reads(store, make, clock, archive, tmp_path):
    folder = tmp_path / "drop"
    folder.mkdir()
    courier, told = Courier(archive, store, [FolderRecipient(folder)], 60.0), Told()
    for _ in range(2):
        await sealed(store, make, clock)
        await courier.send_due(clock, told)
        clock.at += 61

    files = sorted(folder.iterdir())
    heads = [json.loads(file.read_text("utf-8")) for file in files]
    assert [head["batch"] for head in heads] == [1, 2]
    assert list(told.ages.values()) == [0.0]
    for head in heads:
        verifier.check_head(head, {head["key"]: head["public"]})


async def test_a_folder_that_is_away_is_told_by_its_age_and_gets_the_newest_head_later(store, make, clock, archive, tmp_path):
    folder, told = tmp_path / "away", Told()
    courier = Courier(archive, store, [FolderRecipient(folder)], 60.0)
    await sealed(store, make, clock)
    await courier.send_due(clock, told)
    clock.at += 61
    await courier.send_due(clock, told)
    away = list(told.ages.values())
    folder.mkdir()
    clock.at += 61

    await courier.send_due(clock, told)

    assert (away, list(told.ages.values()), len(list(folder.iterdir()))) == ([61.0], [0.0], 1)


@asynccontextmanager
async def mail_server(mails, *, refuses=False):
    async def serve(reader, writer):
        writer.write(b"220 ready\r\n")
        while line := await reader.readline():
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
            writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"550 no\r\n" if refuses and verb == b"RCPT" else b"250 ok\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("store_url", [None], indirect=False)
async def test_a_mailbox_gets_the_head_in_words_and_as_a_file(store, make, clock, archive):
    mails, told = [], Told()
    await sealed(store, make, clock)
    async with mail_server(mails) as port:
        recipient = MailRecipient(f"smtp://127.0.0.1:{port}?from=hub@hub.example&to=auditor@audit.example")
        await Courier(archive, store, [recipient], 60.0).send_due(clock, told)

    (mail,) = mails
    assert told.ages == {"mail audit.example": 0.0}
    assert "head-000000000001.json" in mail
    assert "To: auditor@audit.example" in mail


@pytest.mark.parametrize("store_url", [None], indirect=False)
async def test_a_mail_server_that_refuses_has_confirmed_nothing(store, make, clock, archive):
    told = Told()
    await sealed(store, make, clock)
    async with mail_server([], refuses=True) as port:
        recipient = MailRecipient(f"smtp://127.0.0.1:{port}?from=hub@hub.example&to=auditor@audit.example")
        await Courier(archive, store, [recipient], 0.0).send_due(clock, told)

    assert await store.take_sending(recipient.name, clock() + 1, 1.0) == Confirmed(0, clock())


@pytest.mark.parametrize("store_url", [None], indirect=False)
async def test_another_hub_checks_the_head_keeps_it_and_says_so(store, make, clock, archive):
    await sealed(store, make, clock)
    (key,) = await archive.keys.publics()
    witness, told = type(store)(clock), Told()
    async with listening(make_office(witness, trusted={HUB: key})) as url:
        await Courier(archive, store, [HubRecipient(url)], 60.0).send_due(clock, told)

    (kept,) = await witness.witnessed(HUB, 0, 10)
    assert kept == await store.head()
    assert list(told.ages.values()) == [0.0]


@pytest.mark.parametrize("store_url", [None], indirect=False)
@pytest.mark.parametrize("trusted", [{}, {HUB: "00" * 32}])
async def test_another_hub_keeps_nothing_of_whom_it_does_not_trust(store, make, clock, archive, trusted):
    await sealed(store, make, clock)
    witness = type(store)(clock)
    async with listening(make_office(witness, trusted=trusted)) as url:
        recipient = HubRecipient(url)
        await Courier(archive, store, [recipient], 0.0).send_due(clock, Told())

    assert await witness.witnessed(HUB, 0, 10) == []
    assert (await store.take_sending(recipient.name, clock() + 1, 1.0)).confirmed == 0


@pytest.mark.parametrize("store_url", [None], indirect=False)
async def test_another_hub_refuses_a_second_history(store, make, clock, archive):
    await sealed(store, make, clock)
    (key,) = await archive.keys.publics()
    witness = type(store)(clock)
    await witness.witness(HUB, replace(await store.head(), root=b"x" * 32))
    async with listening(make_office(witness, trusted={HUB: key})) as url:
        shown = {**shown_head(await store.head(), HUB), "public": (await archive.keys.publics())[key]}

        assert not await HubRecipient(url).take(shown)


@pytest.mark.parametrize("url", ["mailto:a@b", "smtp://host?to=a@b", "smtp://host?from=a@b", "smtp:///x?from=a&to=b"])
def test_a_mailbox_that_cannot_be_one_stops_the_start(url):
    with pytest.raises(SettingsError, match="LGSP_EVIDENCE_MAIL"):
        recipients("", url, ())


def test_the_account_of_a_mailbox_is_in_no_name():
    assert "secret" not in MailRecipient("smtp://hub:secret@mail.example?from=a@b&to=c@d").name
