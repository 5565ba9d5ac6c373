"""`lgsp add`: a draft with examples and a README, checked where nobody sees it, then moved to its place whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lgsp.contract.adapter.check import check_adapter
from lgsp.contract.adapter.folder import read_adapter
from lgsp.contract.adding.account import account_of
from lgsp.contract.adding.examples import write_examples
from lgsp.contract.adding.origin import opened
from lgsp.contract.adding.samples import contract_of_samples
from lgsp.contract.bridge.draft import draft_of
from lgsp.contract.bridge.manifest import yaml_of
from lgsp.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.contract.adding.examples import Examples
    from lgsp.contract.bridge.draft import Draft, Wish

OLD = ".before"


@dataclass(frozen=True, slots=True)
class Added:
    """What was written. folders: by their place below adapters and contracts; digest: SHA-256 of what the provider handed over."""

    draft: Draft
    examples: Examples
    folders: Sequence[Path]
    digest: str

    @property
    def operations(self) -> int:
        """How many operations are offered."""
        return len(self.examples.written) + len(self.examples.missing)


def add(path: Path, wish: Wish, places: tuple[Path, Path], *, force: bool = False, given: Path | None = None) -> Added:
    """Write the adapter of a provider's contract; `places`: the folders of adapters and of contracts.

    given: what the provider handed over, where `path` was drafted from it.

    Raises ContractError with every finding, FileExistsError where something is there already and `force` is not said. Either leaves
    nothing behind.
    """
    adapters, contracts = places
    with opened(path) as origin:
        draft = draft_of(origin.main, replace(wish, root=origin.root))
    given = given or path
    digest = digest_of(given)
    targets = {
        f"adapters/{draft.name}": adapters / draft.name,
        f"contracts/openapi/{draft.place}": contracts / "openapi" / draft.place,
        f"contracts/wsdl/{draft.place}": contracts / "wsdl" / draft.place,
    }
    there = [target for target in targets.values() if target.exists()]
    if there and not force:
        raise FileExistsError(there[0])
    adapters.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".lgsp-add-", dir=adapters.parent) as staged:
        examples = _stage(draft, Path(staged), given.name, digest)
        wanted = {Path(staged) / name: target for name, target in targets.items()}
        folders = _move(wanted, Path(staged) / OLD)
    return Added(draft, examples, folders, digest)


def add_samples(folder: Path, wish: Wish, places: tuple[Path, Path], *, force: bool = False) -> Added:
    """The same for a contract that is drafted from sample requests and answers."""
    with tempfile.TemporaryDirectory(prefix="lgsp-add-") as made:
        path = Path(made) / "samples.yaml"
        path.write_text(yaml_of(contract_of_samples(folder)), encoding="utf-8")
        return add(path, wish, places, force=force, given=folder)


def digest_of(path: Path) -> str:
    """SHA-256 of a file, or of a folder's files with their names."""
    whole = hashlib.sha256()
    if path.is_file():
        whole.update(path.read_bytes())
    for file in sorted(each for each in path.rglob("*") if each.is_file() and not each.is_symlink()) if path.is_dir() else ():
        whole.update(f"{file.relative_to(path).as_posix()}\n".encode() + file.read_bytes())
    return whole.hexdigest()


def _stage(draft: Draft, staged: Path, file: str, digest: str) -> Examples:
    """The whole draft in a folder of its own, checked there."""
    draft.write(staged)
    folder, contracts = staged / "adapters" / draft.name, staged / "contracts"
    adapter = read_adapter(folder, contracts)
    examples = write_examples(adapter, folder, contracts)
    (folder / "README.md").write_text(account_of(draft, adapter, examples, (file, digest)), encoding="utf-8")
    findings = check_adapter(folder, contracts)
    if findings:
        raise ContractError(findings)
    return examples


def _move(wanted: dict[Path, Path], aside: Path) -> list[Path]:
    """Each folder to its place, the adapter's last: without it nothing reads the contracts. What fails is put back as it was."""
    done: list[tuple[Path, Path | None]] = []
    try:
        for place, (source, target) in enumerate(reversed(wanted.items())):
            before = None
            if target.exists():
                before = aside / str(place)
                before.parent.mkdir(exist_ok=True)
                shutil.move(target, before)
            done.append((target, before))
            if source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(source, target)
    except OSError:
        for target, before in reversed(done):
            shutil.rmtree(target, ignore_errors=True)
            if before is not None:
                shutil.move(before, target)
        raise
    return [target for target, _ in reversed(done) if target.exists()]
