"""Rows of the provider: away, deaf, slow, cutting, failing, lying."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.prove import record
from lgsp.prove.answers import CASES, case_of
from lgsp.prove.oracle import SOAP, percentile, struck
from lgsp.prove.provider import Plan
from lgsp.prove.rows.row import Row

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lgsp.prove.scene import Scene

NEIGHBOUR = {"neighbour_every": 4}
PROVIDERS = ("prove", "neighbour")
IN_FLIGHT = 32
"""Of the bundle's manifest: so many calls at one time, for each worker."""
DEADLINE_S, SPARE_S = 1.5, 1.0
DOWN_S, STORM_S, MODE_S = 8.0, 10.0, 3.0
AMPLIFIED = 1.2
SLOWER, FLOOR_S = 1.2, 0.5
"""What a neighbour may suffer; below the floor it is well on two cores, whatever the ratio."""
LONGEST = "SELECT max(duration_us) FROM log WHERE event = 'closed' AND attempt > 0 AND operation <> ''"


async def provider_down(scene: Scene) -> None:
    """F30: nobody listens at the provider's address; then it is back."""
    calls = len(scene.calls())
    with scene.strike("provider down"):
        scene.provider.kill()
        await scene.calm(DOWN_S)
        scene.provider.start()
        await scene.provider.listening()
    scene.facts["calls_before"] = calls
    scene.facts["circuit"] = await scene.metric("lgsp_circuit_state", provider=PROVIDERS[0])


async def neighbours_unharmed(scene: Scene) -> None:
    """F30 to F33: how long deliveries to the other provider take while this one is sick, against the rest of the run."""
    effects = {effect.number: effect.at for effect in scene.ledger() if effect.kind == SOAP}
    took = [(entry.due_at, effects[entry.number] - entry.due_at) for entry in scene.desk.book if entry.number in effects]
    sick = percentile((wait for due_at, wait in took if struck(due_at, scene.strikes)), 0.99)
    calm = percentile((wait for due_at, wait in took if not struck(due_at, scene.strikes)), 0.99)
    scene.facts["neighbour_p99_s"], scene.facts["neighbour_p99_calm_s"] = round(sick, 3), round(calm, 3)
    scene.must(sick <= max(FLOOR_S, SLOWER * calm), f"the neighbour's deliveries took {sick:.2f} s (99th percentile), {calm:.2f} s before")


async def bulkhead_held(scene: Scene) -> None:
    """F31: calls that hang are never more than the provider's share of each worker."""
    await neighbours_unharmed(scene)
    allowed = IN_FLIGHT * len(scene.hub.of("worker"))
    scene.must(scene.facts["busiest"] <= allowed, f"{scene.facts['busiest']} connections at one time, {allowed} allowed")


async def deadline_held(scene: Scene) -> None:
    """F32: no attempt took longer than the total deadline and a second, however the answer drips."""
    await neighbours_unharmed(scene)
    longest_s = ((await record.query(scene.database, LONGEST))[0][0] or 0) / 1e6
    scene.facts["longest_call_s"] = round(longest_s, 2)
    scene.must(longest_s <= DEADLINE_S + SPARE_S, f"an attempt took {longest_s:.1f} s")


async def storm(scene: Scene) -> None:
    """F34: three in ten calls fail; half of them with 500, half with 503."""
    sent = len(scene.desk.book)
    calls = len(scene.calls())
    with scene.strike("storm"):
        for mode in ("failed", "busy"):
            await scene.misbehave(mode, 0.3)
            await scene.calm(STORM_S / 2)
    asked, wanted = len(scene.calls()) - calls, len(scene.desk.book) - sent
    await scene.misbehave()
    scene.facts["amplified"] = round(asked / wanted, 2)
    scene.must(asked <= AMPLIFIED * wanted, f"{asked} calls for {wanted} messages at 30 % faults")


async def answer_by_the_table(scene: Scene) -> None:
    """F35: each first answer is another way to say yes, no or nothing; the circuit is kept closed, as it is not what is tried."""
    for name in PROVIDERS:
        await scene.steer("circuit", name, "--closed", "--for", "1h", "--reason", "thử bảng trả lời")
    for node in (scene.provider, scene.around.neighbour):
        if node is not None:
            await scene.told(node, Plan("table"))
    scene.facts["table_from"] = len(scene.desk.book) + len(CASES) // 4
    with scene.strike("answers by the table"):
        await scene.calm(1.5 * len(CASES) / scene.load.rate + 1)
        scene.facts["table_until"] = len(scene.desk.book) - 1
        await scene.calm(3)
    if scene.around.neighbour is not None:
        await scene.told(scene.around.neighbour, Plan())


async def judged_by_the_table(scene: Scene) -> None:
    """F35: every message rests where the table says, after as many calls."""
    kept = await record.read_record(scene.database)
    calls: dict[str, int] = {}
    for call in scene.calls():
        calls[call.message_id] = calls.get(call.message_id, 0) + 1
    tried = [e for e in scene.desk.book if e.message_id and scene.facts["table_from"] <= e.number < scene.facts["table_until"]]
    wrong = []
    for entry in tried:
        case, state, asked = case_of(entry.number), kept[entry.message_id].state, calls.get(entry.message_id, 0)
        if (case.state, case.calls) != (state, asked):
            wrong.append(f"case {CASES.index(case)} ({case.kind} {case.status} {case.body[:60]}): {state} after {asked} calls")
    scene.facts["cases"] = len({case_of(entry.number) for entry in tried})
    scene.complaints += wrong[:20]
    scene.must(scene.facts["cases"] == len(CASES), f"only {scene.facts['cases']} of {len(CASES)} cases were tried")


def misbehaving(*modes: str, share: float = 1.0, wait_s: float = 3.0) -> Callable[[Scene], Awaitable[None]]:
    """The provider goes through these modes, three seconds each."""

    async def strike(scene: Scene) -> None:
        for mode in modes:
            with scene.strike(f"provider {mode}"):
                await scene.misbehave(mode, share, wait_s)
                await scene.calm(MODE_S)
                scene.facts["busiest"] = max(scene.facts.get("busiest", 0), await scene.busiest())
                await scene.misbehave()

    return strike


CUTS = misbehaving("cut", "lost", "short", "long", "chunks", "gzip", "garbled", "late", share=0.4)

ROWS: Mapping[str, Row] = {
    "F30": Row("provider down", provider_down, load=NEIGHBOUR, certain=True, after=neighbours_unharmed),
    "F31": Row("provider accepts and never answers", misbehaving("hang", wait_s=6), load=NEIGHBOUR, after=bulkhead_held),
    "F32": Row("provider drips its answer", misbehaving("drip", wait_s=0.3), load=NEIGHBOUR, after=deadline_held),
    "F33": Row("provider cuts, lies about lengths, answers garbage or late", CUTS, load=NEIGHBOUR, after=neighbours_unharmed),
    "F34": Row("provider fails 30 % of its calls", storm),
    "F35": Row("fifty ways to answer", answer_by_the_table, load={"table": 1, "matters": 100_000}, after=judged_by_the_table),
}
