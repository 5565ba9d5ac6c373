"""The arithmetic of the crash test's oracle: what it must flag, and what it must let pass."""

from __future__ import annotations

from typing import Any

import pytest

from lgsp.prove.oracle import Answer, Effect, Kept, Sent, Strike, reconcile, recoveries


def sent(number: int = 1, **changes: Any) -> Sent:
    given = {"kind": "keyed", "matter": "V-1", "digest": f"d{number}", "due_at": float(number), "answer": Answer.ACCEPTED}
    given |= {"message_id": f"m{number}", "sent_at": float(number), "answered_at": number + 0.1}
    return Sent(number, **{**given, **changes})


def effect(number: int = 1, **changes: Any) -> Effect:
    given = {"kind": "keyed", "matter": "V-1", "digest": f"d{number}", "message_id": f"m{number}"}
    return Effect(number, **{**given, **changes})


def kept(state: str = "delivered", opened: int = 1, closed: int = 1) -> Kept:
    return Kept(state, opened, closed)


def flagged(book: list[Sent], ledger: list[Effect], record: dict[str, Kept]) -> dict[str, int]:
    return {name: count for name, count in reconcile(book, ledger, record).counts().items() if count}


def test_what_was_accepted_and_done_once_is_no_violation():
    assert flagged([sent(1), sent(2)], [effect(1), effect(2)], {"m1": kept(), "m2": kept()}) == {}


@pytest.mark.parametrize("record", [{}, {"m1": kept("delivered")}, {"m1": kept("cancelled")}])
def test_an_accepted_message_that_nobody_did_and_nobody_owes_is_lost(record):
    assert flagged([sent()], [], record) == {"lost": 1}


@pytest.mark.parametrize("state", ["dead", "held", "unknown", "refused"])
def test_a_message_at_rest_where_a_person_sees_it_is_not_lost(state):
    assert flagged([sent()], [], {"m1": kept(state)}) == {}


@pytest.mark.parametrize("state", ["accepted", "waiting", "delivering"])
def test_what_is_still_under_way_in_the_end_is_stuck(state):
    assert flagged([sent()], [], {"m1": kept(state)}) == {"stuck": 1}


def test_an_effect_of_a_number_that_was_never_sent_is_a_phantom():
    assert flagged([], [effect()], {"m1": kept()}) == {"phantom": 1}


def test_an_effect_of_a_refused_request_is_a_phantom():
    assert flagged([sent(answer=Answer.REFUSED, message_id="")], [effect()], {"m1": kept()}) == {"phantom": 1}


def test_a_request_that_no_repetition_settled_is_unresolved_and_its_effect_no_phantom():
    assert flagged([sent(answer=Answer.UNKNOWN, message_id="")], [effect()], {"m1": kept()}) == {"unresolved": 1}


def test_effects_beyond_the_first_are_counted_by_kind_of_provider():
    book = [sent(1), sent(2, kind="unkeyed")]
    ledger = [effect(1), effect(1, message_id="m9"), *[effect(2, kind="unkeyed")] * 3]

    counts = flagged(book, ledger, {"m1": kept(), "m9": kept(), "m2": kept()})

    assert counts == {"doubled_keyed": 1, "doubled_unkeyed": 2}


@pytest.mark.parametrize("record", [kept(opened=0), kept(closed=0), None])
def test_an_effect_without_its_rows_in_the_log_is_unaudited(record):
    counts = flagged([sent()], [effect()], {} if record is None else {"m1": record})

    assert counts["unaudited"] == 1


def test_content_or_matter_that_changed_on_the_way_is_a_mismatch():
    book, ledger = [sent(1), sent(2)], [effect(1, digest="other"), effect(2, matter="V-2")]

    assert flagged(book, ledger, {"m1": kept(), "m2": kept()}) == {"mismatched": 2}


def test_an_earlier_message_of_a_matter_that_comes_later_is_out_of_order():
    assert flagged([sent(1), sent(2)], [effect(2), effect(1)], {"m1": kept(), "m2": kept()}) == {"out_of_order": 1}


def test_messages_of_one_matter_that_were_under_way_together_have_no_order():
    book = [sent(1, answered_at=2.5), sent(2)]

    assert flagged(book, [effect(2), effect(1)], {"m1": kept(), "m2": kept()}) == {}


@pytest.mark.parametrize(("state", "kind"), [("refused", "keyed"), ("refused", "unkeyed"), ("dead", "unkeyed")])
def test_an_effect_that_the_hub_denies_is_misjudged(state, kind):
    assert flagged([sent(kind=kind)], [effect(kind=kind)], {"m1": kept(state)}) == {"misjudged": 1}


def test_recovery_lasts_from_the_end_of_a_strike_until_latencies_are_as_before():
    slow = {10, 11, 12, 13}
    book = [sent(n, due_at=n / 2, answered_at=n / 2 + (5.0 if n in slow else 0.01)) for n in range(40)]

    assert recoveries(book, [Strike("kill", 5.0, 5.5)]) == [1.5]


def test_a_strike_that_the_next_one_overtakes_is_charged_to_that_one():
    slow = {10, 11, 12, 13}
    book = [sent(n, due_at=n / 2, answered_at=n / 2 + (5.0 if n in slow else 0.01)) for n in range(40)]

    assert recoveries(book, [Strike("kill", 5.0, 5.2), Strike("kill", 6.0, 6.5)]) == [0.5]


def test_without_a_strike_there_is_nothing_to_recover_from():
    assert recoveries([sent()], []) == []
