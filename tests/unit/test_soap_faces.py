"""Faces made on demand: once for all who ask, beside the loop, in bounded time, and told where one cannot be made."""

from __future__ import annotations

import asyncio
import threading

import pytest

from lgsp.drivers.doors.faces import Faces
from lgsp.errors import ContractError, Fault, Finding
from lgsp.model.agreed import Service
from lgsp.model.face import SoapFace, SoapOffer, Wsdl

FACE = SoapFace(frozenset(), {})


class Slow:
    """A service whose face is made as soon as the test lets it."""

    def __init__(self, error: ContractError | None = None) -> None:
        self.may_end, self.began, self.made, self.error = threading.Event(), threading.Event(), 0, error
        self.offer = SoapOffer(Wsdl(dict, bytes), self._make)
        self.service = Service("slow", 1, "1.0.0", {}, (), {}, "", self.offer)

    def _make(self) -> SoapFace:
        self.began.set()
        self.made += 1
        assert self.may_end.wait(10)
        if self.error is not None:
            raise self.error
        return FACE

    def asked(self, faces: Faces) -> asyncio.Task[SoapFace]:
        return asyncio.create_task(faces.face(self.service, self.offer))


async def begun(slow: Slow) -> None:
    assert await asyncio.to_thread(slow.began.wait, 10)


async def test_all_who_ask_meanwhile_get_the_one_that_is_made() -> None:
    faces, slow = Faces(), Slow()
    callers = [slow.asked(faces) for _ in range(50)]
    await begun(slow)
    late = slow.asked(faces)

    slow.may_end.set()
    got = await asyncio.gather(*callers, late)

    assert (slow.made, set(map(id, got)), slow.offer.made) == (1, {id(FACE)}, FACE)


async def test_a_caller_that_goes_away_takes_nothing_from_the_others() -> None:
    faces, slow = Faces(), Slow()
    first, second = slow.asked(faces), slow.asked(faces)
    await begun(slow)

    first.cancel()
    await asyncio.wait({first})
    slow.may_end.set()

    assert (await second, slow.made) == (FACE, 1)


async def test_who_waits_too_long_is_told_to_come_again_and_then_finds_it() -> None:
    faces, slow = Faces(wait_s=0.01), Slow()

    with pytest.raises(Fault) as caught:
        await faces.face(slow.service, slow.offer)
    slow.may_end.set()
    while slow.offer.made is None:
        await asyncio.sleep(0.001)

    assert (caught.value.slug, caught.value.retry_after_s) == ("overloaded", 5.0)
    assert (await faces.face(slow.service, slow.offer), slow.made) == (FACE, 1)


async def test_services_are_made_one_after_the_other() -> None:
    faces, first, second = Faces(), Slow(), Slow()
    second.may_end.set()
    waiting = [first.asked(faces), second.asked(faces)]
    await begun(first)

    before = second.made
    first.may_end.set()
    await asyncio.gather(*waiting)

    assert (before, second.made) == (0, 1)


async def test_a_face_that_cannot_be_made_is_tried_once_and_the_service_is_not_offered_in_soap() -> None:
    faces, slow = Faces(), Slow(ContractError([Finding("service.wsdl", 1, "", "xsd", "reads badly")]))
    slow.may_end.set()

    caught = [await asyncio.wait_for(_fault(faces, slow), 10) for _ in range(2)]

    assert ([fault.slug for fault in caught], slow.made) == (["soap-unavailable"] * 2, 1)


async def _fault(faces: Faces, slow: Slow) -> Fault:
    with pytest.raises(Fault) as caught:
        await faces.face(slow.service, slow.offer)
    return caught.value
