"""WSDLs that nobody here wrote: what is sound registers, the rest is refused with its reasons, nothing crashes, nothing is fetched.

Run as a program, this file writes the table of reasons into lgsp/contract/README.md.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contracts.shaped import Inventor
from contracts.test_wsdl import PLAIN, SCHEMA, wsdl
from lgsp.contract.wsdl.read import read_contract
from lgsp.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lgsp.codec.soap.side import Side
    from lgsp.codec.soap.speech import Speech

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "lgsp" / "contract" / "README.md"
TABLE = re.compile(r"(<!-- corpus -->\n).*?(<!-- /corpus -->)", re.DOTALL)
LEAST = 310
MOST_OPERATIONS = 20
WHOLE, SAMPLE = os.environ.get("CI") == "true", 9
MEANINGS = {
    "remote-import": "an import from the network that nothing at hand stands in for; the finding names the file to add",
    "missing-file": "an import or include whose file is not in the folder",
    "wsdl": "no operation of any port can be spoken: elements, messages or operations that its ports name are nowhere",
    "not-wsdl": "another root element than `wsdl:definitions` (WSDL 2.0, WS-MetadataExchange)",
    "not-xml": "not well-formed: empty, cut off, an entity loop or bomb",
    "dtd": "a DOCTYPE",
}


@dataclass(frozen=True)
class Outcome:
    """What became of one file: rules of its findings (none: registered), how many ports it has.

    nameless: findings without a place or reason. written: values made up for its operations, written and judged valid; changed: operations
    that read another value than was written.
    """

    file: str
    rules: tuple[str, ...]
    nameless: int = 0
    ports: int = 0
    written: int = 0
    changed: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        """The one that stands in the table."""
        return "wsdl" if "wsdl" in self.rules else next(iter(self.rules), "")


def outcome(file: str, root: str) -> Outcome:
    try:
        contract = read_contract(Path(file), Path(root))
    except ContractError as error:
        nameless = sum(not (finding.file and finding.reason and root not in str(finding)) for finding in error.findings)
        return Outcome(file, tuple(finding.rule for finding in error.findings), nameless)
    spoken = [(name, speech) for port in contract.ports for name, speech in list(port.operations.items())[:MOST_OPERATIONS]]
    trips = [
        (name, trip) for name, speech in spoken for side in (speech.request, speech.reply) if side for trip in round_trips(speech, side)
    ]
    return Outcome(file, (), 0, len(contract.ports), len(trips), tuple(name for name, is_same in trips if not is_same))


def round_trips(speech: Speech, side: Side) -> Iterator[bool]:
    """Whether values made up for a side are read back as they were, by whichever way they are read."""
    for full in (False, True) if side.message.body is not None else ():
        try:
            value = Inventor(speech.grammar, full=full).value(side.message.body.shape)
        except LookupError:
            continue
        content, violations = side.write(value)
        if not violations:
            yield side.read_once(content) == side.read(side.open(content)) == (value, ())


def outcomes(folder: Path, step: int = 1) -> list[Outcome]:
    """Every WSDL of a folder, or every so-manieth, by as many processes as there are cores."""
    files = sorted(folder.rglob("*.wsdl"), key=lambda path: -path.stat().st_size)[::step]
    cores = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(cores, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(outcome, map(str, files), [str(folder)] * len(files), chunksize=4))


def table(found: list[Outcome]) -> str:
    registered = [each for each in found if not each.rules]
    portless = sum(not each.ports for each in registered)
    lines = [
        f"Of {len(found)} files {len(registered)} register; {portless} of them have no SOAP port and offer nothing to call.",
        "",
        "| refused | files | because |",
        "| --- | --- | --- |",
    ]
    counts = Counter(each.rule for each in found if each.rules)
    lines += [f"| `{rule}` | {count} | {MEANINGS[rule]} |" for rule, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def found(corpora) -> list[Outcome]:
    return outcomes(corpora / "wsdl", 1 if WHOLE else SAMPLE)


def test_what_is_sound_registers_and_the_rest_is_refused_with_file_and_reason(found):
    assert sum(not each.rules for each in found) >= (LEAST if WHOLE else len(found) * LEAST // 349 - 2)
    assert [each.file for each in found if each.nameless] == []


def test_what_is_written_by_them_is_valid_and_read_back_as_it_was(found):
    assert sum(each.written for each in found) > 5 * len(found)
    assert [(each.file, each.changed) for each in found if each.changed] == []


@pytest.mark.skipif(not WHOLE, reason="only CI reads the whole corpus")
def test_the_readme_tells_the_reasons_as_they_are(found):
    told = TABLE.search(README.read_text(encoding="utf-8"))

    assert told is not None
    assert told[0] == f"<!-- corpus -->\n{table(found)}<!-- /corpus -->"


def test_a_megabyte_of_wsdl_is_read_in_two_seconds(tmp_path):
    element = '<xs:element name="E{0}"><xs:complexType><xs:sequence>{1}</xs:sequence></xs:complexType></xs:element>'
    inside = "".join(f'<xs:element name="field{number}" type="xs:string" minOccurs="0"/>' for number in range(20))
    many = "".join(element.format(number, inside) for number in range(850))
    (tmp_path / "large.wsdl").write_text(wsdl(SCHEMA.format(PLAIN + many)))
    alone = (
        "import sys, time, pathlib; from lgsp.contract.wsdl.read import read_contract; began = time.process_time(); "
        "ports = read_contract(pathlib.Path(sys.argv[1])).ports; print(len(ports), time.process_time() - began)"
    )

    told = [  # in a process of its own, whose collector does not look through all that the other tests left; the better of two
        subprocess.run([sys.executable, "-c", alone, tmp_path / "large.wsdl"], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(2)
    ]

    assert (tmp_path / "large.wsdl").stat().st_size > 1_000_000
    assert [ports for ports, _ in told] == ["1", "1"]
    assert min(float(seconds) for _, seconds in told) < 2


def test_attacks_are_refused_as_contracts_and_as_schemas_at_once(corpora, tmp_path):
    attacks = sorted(path for path in (corpora / "xml-attacks").rglob("*.xml") if path.name != "simple.xml")
    main = wsdl(SCHEMA.format('<xs:include schemaLocation="attack.xsd"/>' + PLAIN))
    (tmp_path / "main.wsdl").write_text(main)
    began = time.process_time()

    for attack in attacks:
        for name in ("attack.xsd", "attack.wsdl"):
            (tmp_path / name).write_bytes(attack.read_bytes())
        assert outcome(str(tmp_path / "main.wsdl"), str(tmp_path)).rules
        assert outcome(str(tmp_path / "attack.wsdl"), str(tmp_path)).rules

    assert attacks
    assert time.process_time() - began < len(attacks)


def test_a_contract_is_compiled_once_for_each_digest(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "main.wsdl").write_text(wsdl())

    first, same = (read_contract(tmp_path / folder / "main.wsdl") for folder in ("a", "b"))
    (tmp_path / "b" / "main.wsdl").write_text(wsdl().replace("urn:do", "urn:other"))

    assert first is same
    assert read_contract(tmp_path / "b" / "main.wsdl").digest != first.digest


@pytest.mark.enable_socket
def test_nothing_that_a_contract_names_is_fetched(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(0)
        there = f"http://127.0.0.1:{canary.getsockname()[1]}"
        schema = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x"/>'
        texts = [
            wsdl(head=f'<w:import namespace="urn:x" location="{there}/x.wsdl"/>'),
            wsdl(SCHEMA.format(f'<xs:import namespace="urn:x" schemaLocation="{there}/x.xsd"/>{PLAIN}')),
            wsdl(SCHEMA.format(f'<xs:include schemaLocation="{there}/x.xsd"/>{PLAIN}')),
            wsdl(SCHEMA.format(f'<xs:redefine schemaLocation="{there}/x.xsd"/>{PLAIN}')),
            wsdl(SCHEMA.format(f'<xs:import namespace="{there}/urn"/>{PLAIN}')),
            wsdl(SCHEMA.format(PLAIN)).replace("<w:types>", f'<w:types xmlns:i="{there}/i" i:schemaLocation="urn:t {there}/t.xsd">'),
            f'<!DOCTYPE w SYSTEM "{there}/w.dtd">{wsdl()}',
            f'<!DOCTYPE w [<!ENTITY % p SYSTEM "{there}/p"> %p;]>{wsdl()}',
            f'<?xml-stylesheet href="{there}/s.xsl"?>{wsdl()}',
            wsdl(operation='<w:input><s:body use="encoded"/></w:input>').replace('namespace="urn:t"', f'namespace="{there}"'),
            wsdl(SCHEMA.format(f'<xs:import namespace="urn:x" schemaLocation="{there}/known.xsd"/>{PLAIN}')),
        ]
        (tmp_path / "known.xsd").write_text(schema)
        for number, text in enumerate(texts):
            path = tmp_path / f"{number}.wsdl"
            path.write_text(text)
            outcome(str(path), str(tmp_path))

        with pytest.raises(BlockingIOError):
            canary.accept()


if __name__ == "__main__":
    corpora = Path(os.environ.get("LGSP_CORPORA", ROOT.parent / "shared" / "corpora"))
    text = README.read_text(encoding="utf-8")
    README.write_text(TABLE.sub(lambda told: told[1] + table(outcomes(corpora / "wsdl")) + told[2], text), encoding="utf-8")
