"""`lgsp bench codec`: a message encoded and decoded, the codec beside zeep and beside bare lxml, in one run and with the same values.

The codec's time includes the verdict of the XSD both ways; zeep's is zeep alone; lxml's is to parse the same bytes and to serialise what
was parsed. What they encode and decode is compared first.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lxml import etree

from lgsp.bench.dossier import NOTE, dossier
from lgsp.bench.peers import provider, words
from lgsp.bench.peers.zeep_codec import ZeepCodec
from lgsp.bench.report import Report, Row
from lgsp.bench.servers import BenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WSDL = Path(__file__).parent / "bundle" / "contracts" / "wsdl" / "bench_dossier" / "v1" / "dossier.wsdl"
OPERATION = "NopHoSo"
# So many documents, each with a note or not, make a message of about that size.
SIZES: Mapping[str, tuple[int, str]] = {"2 kB": (1, ""), "340 kB": (434, f"{NOTE} {NOTE} {NOTE}")}
AT_LEAST = {"2 kB": 12.0, "340 kB": 7.0}
MOST_OF_LXML = 4.0
CODEC, ZEEP, LXML = "codec", "zeep", "lxml"


@dataclass(frozen=True, slots=True)
class Options:
    """How long each of the three is measured in each round, how often, and the codec: a value to a request, an answer to a value."""

    seconds: float
    rounds: int
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Contender:
    """One that encodes and decodes."""

    name: str
    encode: Callable[[], Any]
    decode: Callable[[], Any]


def run(options: Options) -> Report:
    """Measure both sizes and say what was found."""
    report = Report("codec", {"seconds": options.seconds, "rounds": options.rounds})
    for size in SIZES:
        contenders = _contenders(size, options)
        figures: dict[str, list[tuple[float, float]]] = {each.name: [] for each in contenders}
        for number in range(options.rounds):
            options.say(f"{size}, round {number + 1}")
            for each in contenders:
                figures[each.name].append((cost_s(each.encode, options.seconds / 2), cost_s(each.decode, options.seconds / 2)))
        _conclude(report, size, figures)
    return report


def _contenders(size: str, options: Options) -> tuple[Contender, ...]:
    native = native_value(size)
    zeep = ZeepCodec(WSDL, OPERATION)
    request = options.encode(native)
    reply = provider.answer(request)[1]
    if _tree(etree.fromstring(request)) != _tree(etree.fromstring(zeep.encode(native))):
        raise BenchError(f"codec and zeep do not write the same {size}")
    if options.decode(reply) != zeep.decode(reply):
        raise BenchError(f"codec and zeep do not read the same {size}")
    parsed = etree.fromstring(reply)
    return (
        Contender(CODEC, lambda: options.encode(native), lambda: options.decode(reply)),
        Contender(ZEEP, lambda: zeep.encode(native), lambda: zeep.decode(reply)),
        Contender(LXML, lambda: etree.tostring(parsed, xml_declaration=True, encoding="UTF-8"), lambda: etree.fromstring(reply)),
    )


def native_value(size: str) -> dict[str, Any]:
    """What is written as a request of this size."""
    documents, note = SIZES[size]
    return {"MaYeuCau": "0192f0c1-7a5b-7000-8000-000000000001", "HoSo": words.native_dossier(dossier(1, documents, note))}


def _tree(node: Any) -> tuple[Any, ...]:
    return node.tag, (node.text or "").strip(), sorted(node.attrib.items()), [_tree(child) for child in node]


def cost_s(call: Callable[[], Any], seconds: float) -> float:
    """CPU seconds of one call, over so many calls as fill the time."""
    call()
    count, began = 0, time.process_time()
    while (spent := time.process_time() - began) < seconds or count < 2:  # noqa: PLR2004  # one call proves nothing
        call()
        count += 1
    return spent / count


def _conclude(report: Report, size: str, figures: Mapping[str, list[tuple[float, float]]]) -> None:
    total = {}
    for name, rounds in figures.items():
        for direction, costs in zip(("encode", "decode"), zip(*rounds, strict=True), strict=True):
            middle = statistics.median(costs)
            p50, worst = round(middle * 1000, 3), round(max(costs) * 1000, 3)
            report.rows.append(Row(f"{name} {direction}", size, round(1 / middle, 1), round(middle * 1_000_000, 1), p50, worst, 0, 0))
        total[name] = statistics.median(sum(pair) for pair in rounds)
    report.ratios[f"{CODEC}/{ZEEP} {size}"] = faster = round(total[ZEEP] / total[CODEC], 2)
    report.ratios[f"{CODEC}/{LXML} {size}"] = slower = round(total[CODEC] / total[LXML], 2)
    report.floor(f"{CODEC}/{ZEEP} {size}", AT_LEAST[size], faster)
    if size == "2 kB":
        report.floor(f"{CODEC}/{LXML} {size}", MOST_OF_LXML, slower, at_least=False)
