"""A provider of the WSDL in tests/contracts/data: it answers what it is asked for, or its typed fault for number 404."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lxml import etree
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from tests.e2e.soap import envelope

if TYPE_CHECKING:
    from starlette.requests import Request

PEOPLE = Path(__file__).parents[1] / "contracts" / "data" / "people.wsdl"
ASK, TELL = "urn:test:question", "urn:test:answer"


def people() -> Starlette:
    """The provider, at /people."""
    return Starlette(routes=[Route("/people", _answer, methods=["POST"])])


async def _answer(request: Request) -> Response:
    asked = etree.fromstring(await request.body())
    number = asked.findtext(f".//{{{ASK}}}Id")
    if number == "404":
        trouble = f'<t:Trouble xmlns:t="{TELL}"><Number>404</Number></t:Trouble>'
        fault = f"<s:Fault><faultcode>s:Client</faultcode><faultstring>không có</faultstring><detail>{trouble}</detail></s:Fault>"
        return Response(envelope(fault), 500, media_type="text/xml")
    kinds = ",".join(tag.get("kind") for tag in asked.iterfind(f".//{{{ASK}}}Tag"))
    person = f"<Person><Id>{number}</Id><Name>Nguyễn Văn An {kinds}</Name></Person>"
    return Response(envelope(f'<a:Found xmlns:a="{TELL}">{person}<Total>9007199254740993</Total></a:Found>'), media_type="text/xml")
