"""The digests of the log and of secrets are HMAC-SHA256 as everybody computes it."""

from __future__ import annotations

import hmac

import pytest

from lgsp.drivers.digests import keyed

MASTER_KEY = bytes(range(32))


@pytest.mark.parametrize("size_bytes", [0, 1, 63, 64, 65, 100_000])
def test_a_digest_is_the_hmac_under_the_key_of_its_purpose(size_bytes: int) -> None:
    content = b"x" * size_bytes

    digest = keyed(MASTER_KEY, b"digest")

    key = hmac.digest(MASTER_KEY, b"digest", "sha256")
    assert [digest(content), digest(content)] == [hmac.digest(key, content, "sha256")] * 2


def test_each_purpose_has_a_key_of_its_own() -> None:
    assert keyed(MASTER_KEY, b"digest")(b"x") != keyed(MASTER_KEY, b"secrets")(b"x")
