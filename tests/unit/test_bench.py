"""The bench's own parts: dossiers that fit their contracts, a provider that answers validly, sums that are right."""

from __future__ import annotations

import json
import os

import jsonschema
import pytest
import yaml
from lxml import etree

from lgsp.bench import process
from lgsp.bench.client import Connection, Load, Run, percentile, request_bytes
from lgsp.bench.dossier import body, dossier
from lgsp.bench.peers.contract import OPENAPI, WSDL, openapi_3_0
from lgsp.bench.peers.provider import NAMESPACE, answer
from lgsp.bench.peers.words import native_dossier
from lgsp.bench.report import Report, Row, median_row
from lgsp.bench.wrk import read_sample, script_text

SCHEMA = etree.XMLSchema(file=str(WSDL.with_name("dossier.xsd")))
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


def contract(name: str) -> jsonschema.Draft202012Validator:
    """A schema of the bench's contract."""
    components = yaml.safe_load(OPENAPI.read_text(encoding="utf-8"))["components"]
    return jsonschema.Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": components})


def envelope(prefix: str, size: str = "2kB") -> bytes:
    """A dossier as a consumer's SOAP request, the namespace bound to `prefix` (empty: by default)."""
    names = {prefix or None: NAMESPACE.decode()}
    root = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"soap": ENVELOPE} | names)
    call = etree.SubElement(etree.SubElement(root, f"{{{ENVELOPE}}}Body"), f"{{{NAMESPACE.decode()}}}NopHoSo")
    fill(call, {"MaYeuCau": "1", "HoSo": in_order(native_dossier(json.loads(body(size))), "HoSo")})
    return etree.tostring(root)


def in_order(found: dict, kind: str) -> dict:
    """The fields in the order of the XML Schema."""
    types = etree.parse(str(WSDL.with_name("dossier.xsd")))
    elements = types.xpath(f"//xs:complexType[@name='{kind}']//xs:element", namespaces={"xs": "http://www.w3.org/2001/XMLSchema"})
    ordered = {e.get("name"): found[e.get("name")] for e in elements if e.get("name") in found}
    return {
        n: in_order(v, n) if isinstance(v, dict) else [in_order(i, n) for i in v] if isinstance(v, list) else v for n, v in ordered.items()
    }


def fill(parent: etree._Element, fields: dict) -> None:
    """Write fields below an element."""
    for name, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            child = etree.SubElement(parent, f"{{{NAMESPACE.decode()}}}{name}")
            if isinstance(one, dict):
                fill(child, one)
            else:
                child.text = str(one).lower() if isinstance(one, bool) else str(one)


@pytest.mark.parametrize(("size", "wanted"), [("2kB", 2_000), ("50kB", 50_000)])
def test_a_dossier_has_its_size_and_fits_the_contract(size, wanted):
    found = body(size)

    assert abs(len(found) - wanted) < wanted / 10
    assert list(contract("Dossier").iter_errors(json.loads(found))) == []


def test_dossiers_are_told_apart_by_their_number():
    one, other = dossier(1, 5, ""), dossier(2, 5, "")

    assert one["code"] != other["code"]


@pytest.mark.parametrize("prefix", ["", "ns0", "hs"])
@pytest.mark.parametrize("size", ["2kB", "50kB"])
def test_the_provider_answers_a_soap_request_with_the_same_dossier_and_validly(prefix, size):
    asked = etree.fromstring(envelope(prefix, size))
    media_type, found = answer(envelope(prefix, size))

    reply = etree.fromstring(found)[0][0]
    SCHEMA.assertValid(asked[0][0])
    SCHEMA.assertValid(reply)
    assert media_type.startswith(b"text/xml")
    assert list(reply[2].itertext()) == list(asked[0][0][1].itertext())


def test_the_provider_answers_json_by_the_contract():
    _, found = answer(body("2kB"))

    assert list(contract("Registration").iter_errors(json.loads(found))) == []


def test_the_provider_says_so_where_there_is_no_dossier():
    media_type, _ = answer(b"<a/>")

    assert media_type == b"text/plain"


def test_the_naive_contract_is_the_same_in_openapi_3_0():
    document = openapi_3_0()

    assert document["openapi"] == "3.0.3"
    assert document["components"] == yaml.safe_load(OPENAPI.read_text(encoding="utf-8"))["components"]


@pytest.mark.parametrize(("values", "share", "wanted"), [([], 0.5, 0.0), ([1.0], 0.99, 1.0), ([float(n) for n in range(100)], 0.99, 99.0)])
def test_a_percentile_of_sorted_values(values, share, wanted):
    assert percentile(values, share) == wanted


def test_a_request_carries_its_length_its_headers_and_its_body():
    found = request_bytes("http://127.0.0.1:80/a/b", {"X": "1"}, "dữ".encode())

    assert found.startswith(b"POST /a/b HTTP/1.1\r\nHost: 127.0.0.1:80\r\n")
    assert found.endswith(b"Content-Length: 4\r\nX: 1\r\n\r\n" + "dữ".encode())


class Wire:
    """A transport that keeps what is sent."""

    def __init__(self):
        self.sent = []

    def write(self, content):
        self.sent.append(content)

    def close(self):
        self.sent.append(None)


def connected(run: Run) -> Connection:
    connection = Connection(run.done)
    connection.connection_made(Wire())
    return connection


async def test_a_closed_loop_sends_again_after_each_answer():
    run = Run(b"request", Load(1.0, 1))
    connection = connected(run)

    run.send(connection, run.clock())
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    assert connection.transport.sent == [b"request", b"request"]
    assert (len(run.latencies), run.errors, run.awaited) == (1, 0, 1)


async def test_an_open_loop_charges_a_late_answer_to_what_waited_behind_it():
    run = Run(b"request", Load(1.0, 1, rate=10.0))
    connection = connected(run)
    run.due.append(run.clock() - 5.0)

    run.send(connection, run.clock())
    for _ in range(2):
        connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    assert run.latencies[1] >= 5.0
    assert list(run.idle) == [connection]


@pytest.mark.parametrize("status", [b"503 Service Unavailable", b"404 Not Found"])
async def test_any_other_status_is_an_error(status):
    run = Run(b"request", Load(1.0, 1, rate=1.0))
    connection = connected(run)

    run.send(connection, run.clock())
    connection.data_received(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")

    assert (run.latencies, run.errors) == ([], 1)


async def test_a_cut_is_an_error_and_its_connection_is_used_no_more():
    run = Run(b"request", Load(1.0, 1, rate=1.0))
    connection = connected(run)

    run.send(connection, run.clock())
    connection.connection_lost(None)

    assert (run.errors, list(run.idle), run.quiet.is_set()) == (1, [], True)


def test_what_wrk_says_is_read():
    found = read_sample('Running\n{"requests": 100, "errors": 3, "lost": 2, "microseconds": 2000000, "p50": 1500, "p99": 9000}\n')

    assert (found.requests, found.errors, found.requests_s, found.p50_ms, found.p99_ms) == (97, 5, 48.5, 1.5, 9.0)


def test_the_script_for_wrk_carries_the_headers():
    found = script_text("/a/body", {"Authorization": 'Bearer "x"'})

    assert 'wrk.headers["Authorization"] = "Bearer \\"x\\""' in found


def row(server: str, requests_s: float, body_name: str = "2kB", errors: int = 0) -> Row:
    return Row(server, body_name, requests_s, 100.0, 1.0, 2.0, errors, 50.0)


def test_rounds_become_medians_and_their_errors_are_added():
    found = median_row([row("hub", 10.0, errors=1), row("hub", 30.0), row("hub", 20.0, errors=1)])

    assert (found.requests_s, found.errors) == (20.0, 2)


def test_a_ratio_is_left_out_where_one_side_was_not_measured():
    report = Report("mediation", {}, rows=[row("hub", 100.0), row("naive", 8.0)])

    assert report.ratio("hub", "naive", "2kB") == 12.5
    assert report.ratio("hub", "nginx", "2kB") is None


def test_floors_hold_in_both_directions():
    report = Report("mediation", {})
    report.floor("ratio", 10, 12.5)
    report.floor("cpu", 450, 500, at_least=False)
    report.floor("not measured", 1, None)

    assert [(floor["name"], floor["holds"]) for floor in report.as_json()["floors"]] == [("ratio", True), ("cpu", False)]


def test_a_process_knows_its_own_cost():
    pid = os.getpid()

    assert pid in process.tree(pid)
    assert process.cpu_s(pid) > 0
    assert process.peak_bytes(pid) >= process.resident_bytes(pid) > 1_000_000


def test_a_process_that_is_gone_costs_nothing():
    assert (process.cpu_s(2**22), process.peak_bytes(2**22)) == (0, 0)
