"""`lgsp soap`: values to envelopes and back from the shell, by a WSDL alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lgsp.cli import app

WSDL = str(Path(__file__).parent.parent / "contracts" / "data" / "service.wsdl")


def run(verb: str, text: str, *more: str, operation: str = "Find", port: str = "Port11"):
    return CliRunner().invoke(app, ["soap", verb, "-", "--wsdl", WSDL, "--port", port, "--operation", operation, *more], input=text)


@pytest.mark.parametrize(
    ("value", "more"),
    [
        ({"#header": {"Login": {"user": "Đặng Ánh"}}, "Id": "079", "Amount": 10.5}, ()),
        ({"Name": ["Nguyễn Văn An"], "Born": "1990-05-17"}, ("--response",)),
        ({"#fault": {"code": "Client", "reason": "không có", "detail": {"Number": 7}, "name": "Trouble"}}, ("--response",)),
    ],
)
@pytest.mark.parametrize("port", ["Port11", "Port12"])
def test_json_to_an_envelope_and_back_is_the_same(value, more, port):
    envelope = run("encode", json.dumps(value), *more, port=port)
    back = run("decode", envelope.stdout, *more, port=port)

    assert envelope.stdout.startswith('<?xml version="1.0" encoding="UTF-8"?>')
    assert json.loads(back.stdout.replace('"Sender"', '"Client"')) == value


@pytest.mark.parametrize(
    ("verb", "text", "operation", "told"),
    [
        ("encode", '{"Idd": "1"}', "Find", "/Idd: is not in the contract"),
        ("encode", "{", "Find", "not JSON"),
        ("encode", "{}", "Nothing", "has no operation Nothing; it has Find"),
        ("decode", "<a/>", "Find", "the root element is not"),
        ("decode", "", "Find", "the message is empty"),
    ],
)
def test_what_cannot_be_is_told_and_ends_with_1(verb, text, operation, told):
    done = run(verb, text, operation=operation)

    assert (done.exit_code, told in done.stderr, done.stdout) == (1, True, "")


def test_a_one_way_operation_has_no_response_to_encode():
    done = run("encode", "{}", "--response", operation="Notify")

    assert (done.exit_code, "one-way" in done.stderr) == (1, True)


def test_an_envelope_that_breaks_the_contract_is_shown_with_its_violations():
    envelope = run("encode", '{"Id": "1", "Amount": 1}').stdout.replace(">1</n0:Amount>", ">x</n0:Amount>")
    done = run("decode", envelope)

    assert (done.exit_code, json.loads(done.stdout)) == (1, {"Id": "1", "Amount": "x"})
    assert "/Amount: is not in the lexical space of its type" in done.stderr


def test_the_operations_of_a_wsdl_are_listed_with_who_speaks_them():
    lines = CliRunner().invoke(app, ["soap", "operations", "--wsdl", WSDL]).stdout.splitlines()
    as_json = CliRunner().invoke(app, ["soap", "operations", "--wsdl", WSDL, "--json"])

    assert "RpcPort  Add  codec" in lines
    assert len(json.loads(as_json.stdout)["operations"]) == 7


def test_check_judges_a_wsdl_alone_and_tells_what_zeep_speaks(tmp_path):
    encoded = Path(WSDL).read_text().replace('<s:body use="literal" namespace=', '<s:body use="encoded" namespace=')
    (tmp_path / "encoded.wsdl").write_text(encoded)
    (tmp_path / "broken.wsdl").write_text("<a/>")

    done = CliRunner().invoke(app, ["check", str(tmp_path / "encoded.wsdl")])
    broken = CliRunner().invoke(app, ["check", str(tmp_path / "broken.wsdl")])

    assert (done.exit_code, broken.exit_code) == (0, 1)
    assert "use=encoded: Add uses SOAP encoding; zeep speaks it" in done.stdout
    assert "broken.wsdl:1: /: the root element is not wsdl:definitions" in broken.stdout
