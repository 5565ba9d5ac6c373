"""A bundle is one archive for one content; whatever else it is handed is refused with its place."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path

import pytest

from lgsp.contract.adapter.bundle import adapter_in, bundle_adapter, gather, laid_out
from lgsp.contract.adapter.check import check_adapter, compile_adapter
from lgsp.contract.archive import MOST_FILES, digest_of, pack, unpack
from lgsp.errors import ContractError

HOME = Path(__file__).parents[2]
PROVE = HOME / "lgsp" / "prove" / "bundle"
CONTRACTS = HOME / "contracts"


def archive(*members: tuple[str, bytes], kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    """A tar as an attacker may write it."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:", format=tarfile.USTAR_FORMAT) as made:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size, member.type, member.linkname = (len(data) if kind == tarfile.REGTYPE else 0), kind, link
            made.addfile(member, io.BytesIO(data))
    return whole.getvalue()


@pytest.mark.parametrize("name", ["population", "national_portal"])
def test_a_bundle_compiles_to_what_its_folder_compiles_to(name):
    content = bundle_adapter(HOME / "adapters" / name, CONTRACTS)

    with laid_out(content, HOME / "adapters") as (folder, contracts):
        provider, services = compile_adapter(folder, contracts)
        findings = check_adapter(folder, contracts)

    expected, offered = compile_adapter(HOME / "adapters" / name, CONTRACTS)
    assert (provider.code, [each.digest for each in services]) == (expected.code, [each.digest for each in offered])
    assert (adapter_in(content), findings) == (name, [])


def test_the_same_folder_at_another_place_and_time_is_the_same_bundle(tmp_path):
    for part in ("adapters", "contracts", "schemas"):
        shutil.copytree(HOME / part, tmp_path / part)

    elsewhere = bundle_adapter(tmp_path / "adapters" / "national_portal", tmp_path / "contracts")

    assert digest_of(elsewhere) == digest_of(bundle_adapter(HOME / "adapters" / "national_portal", CONTRACTS))


def test_only_what_the_adapter_uses_is_in_its_bundle():
    names = gather(HOME / "adapters" / "national_portal", CONTRACTS)

    assert "schemas/dossier.schema.json" in names
    assert not [name for name in names if "population" in name or name.endswith(".py")]


def test_hooks_stay_with_the_release_and_must_be_the_same(tmp_path):
    content = bundle_adapter(PROVE / "adapters" / "prove", PROVE / "contracts")
    shutil.copytree(PROVE / "adapters", tmp_path / "other")
    (tmp_path / "other" / "prove" / "hooks.py").write_text('"""Others."""\n', "utf-8")

    with laid_out(content, PROVE / "adapters") as (folder, contracts):
        _, services = compile_adapter(folder, contracts)
    with pytest.raises(ContractError, match="other hooks"), laid_out(content, tmp_path / "other"):
        pass
    with pytest.raises(ContractError, match="no such hooks"), laid_out(content, tmp_path):
        pass

    assert services
    assert b"def " not in content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (archive(("../out.yaml", b"x")), "leads out"),
        (archive(("/etc/out.yaml", b"x")), "leads out"),
        (archive(("adapters\\a\\adapter.yaml", b"x")), "leads out"),
        (archive(("adapters/.hidden/adapter.yaml", b"x")), "leads out"),
        (archive(("adapters/a/hooks.py", b"import os")), "carries no programs"),
        (archive(("a.yaml", b""), kind=tarfile.SYMTYPE, link="/etc/passwd"), "is a link"),
        (archive(("a.yaml", b""), kind=tarfile.LNKTYPE, link="b.yaml"), "is a link"),
        (archive(("a.yaml", b""), kind=tarfile.CHRTYPE), "is a link"),
        (archive(("a.yaml", b""), kind=tarfile.GNUTYPE_SPARSE), "not a plain file"),
        (archive(("a.yaml", b"1"), ("a.yaml", b"2")), "there twice"),
        (archive(("b.yaml", b"1"), ("a.yaml", b"2")), "not packed as"),
        (archive(*[(f"{at}.yaml", b"") for at in range(MOST_FILES + 1)]), f"more than {MOST_FILES} files"),
        (pack({"a.yaml": b"1"}) + b"more", "not packed as"),
        (b"\0" * (9 << 20), "larger than"),
        (b"PK\x03\x04 a zip", "no archive"),
        (b"", "no archive"),
        (archive(("a" * 120 + "/" + "b" * 95 + ".yaml", b"x")), "longer than"),
    ],
)
def test_a_hostile_archive_is_refused_with_its_reason(content, reason):
    with pytest.raises(ContractError, match=reason):
        unpack(content)


@pytest.mark.parametrize(
    "files",
    [
        {"contracts/openapi/a.yaml": b""},
        {"adapters/a/mapping.yaml": b""},
        {"adapters/a/adapter.yaml": b"", "adapters/b/adapter.yaml": b""},
        {"adapters/a/adapter.yaml": b"", "lgsp/errors.yaml": b""},
    ],
)
def test_a_bundle_holds_one_adapter_and_nothing_beside_it(files):
    with pytest.raises(ContractError, match="bundle"):
        adapter_in(pack(files))
