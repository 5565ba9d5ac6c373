"""The README of a drafted adapter: what was derived from what, and what a person must still say; in Vietnamese and English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.model.agreed import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lgsp.contract.adapter.folder import Adapter
    from lgsp.contract.adding.examples import Examples
    from lgsp.contract.bridge.draft import Draft
    from lgsp.model.agreed import Operation

MOST_SHOWN = 40


def account_of(draft: Draft, adapter: Adapter, examples: Examples, origin: tuple[str, str]) -> str:
    """The text; `origin`: name and SHA-256 of what the provider handed over."""
    service = adapter.services[0]
    title = adapter.manifest.value["title"]
    lines = [
        f"# {title['vi']}",
        "Nháp do `lgsp add` tạo, chỉ mới chạy với hệ thống giả lập. / A draft by `lgsp add`, twin only, never seen against the real one.",
        "",
        f"Từ / from `{origin[0]}`, SHA-256 `{origin[1]}`.",
        "## Đã suy ra / What was derived",
        *_table(adapter, draft),
        f"## Thao tác / Operations: `/{service.code}/{service.major}`",
        *_operations(service.operations),
        *_proofs(adapter),
        *_personal(draft),
        *_left(draft, examples),
        "## Còn phải ghi / What a person must state",
        "- `adapter.yaml`: `owner`, `legal_basis`, `contact`, `system`, `tier`",
        f"- trên mỗi hub / on each hub: `{f'LGSP_BIND_{draft.name}_url'.upper()}` = địa chỉ thật / the provider's address",
        "- `safe: true` cho lời gọi nào lặp lại mà không thay đổi gì / for each call that may be repeated without changing anything",
    ]
    return "".join(f"\n{line}\n\n" if line.startswith("#") else f"{line}\n" for line in lines).lstrip()


def _table(adapter: Adapter, draft: Draft) -> Iterator[str]:
    service, binding = adapter.manifest.value["services"][0], adapter.manifest.binding
    why = f"{len(draft.marks.fields)} trường cá nhân theo tên / personal fields by name"
    yield "| gì / what | giá trị / value | vì sao / why |"
    yield "| --- | --- | --- |"
    yield f"| `data_class` | {service['data_class']} | {why} |"
    yield f"| `timeout_s` | {binding['timeout_s']} | 20 tra cứu / look-ups, 30 thay đổi / changes, 60 tệp / files |"
    yield "| `safe` | theo từng thao tác / by operation | GET, HEAD, PUT, DELETE; SOAP: không / none |"


def _operations(operations: tuple[Operation, ...]) -> Iterator[str]:
    yield "| thao tác / operation | kiểu / exchange | mất câu trả lời thì / if the answer is lost |"
    yield "| --- | --- | --- |"
    for each in operations[:MOST_SHOWN]:
        lost = "gọi lại được / may be called again" if each.calls[-1].safe else "không rõ kết quả, không gửi lại / unknown, not sent again"
        kind = "biên nhận / receipt" if each.pattern is Pattern.ONE_WAY else "hỏi đáp / request-reply"
        yield f"| `{each.name}` {each.method} `{each.path}` | {kind} | {lost} |"
    if len(operations) > MOST_SHOWN:
        yield f"| và {len(operations) - MOST_SHOWN} thao tác nữa / and more | | |"


def _proofs(adapter: Adapter) -> Iterator[str]:
    if adapter.manifest.uses:
        yield "## Hub tự chứng minh / How the hub proves itself"
        for name, reference in adapter.manifest.uses.items():
            yield f"- `{name}`: `{reference.replace('$env.', 'LGSP_BIND_').replace('.', '_').upper()}`"


def _personal(draft: Draft) -> Iterator[str]:
    marks = draft.marks
    if marks.fields:
        yield "## Dữ liệu cá nhân / Personal data"
        yield "Đánh dấu `x-lgsp-pii` trong hợp đồng, theo tên; hãy xem lại. / Marked `x-lgsp-pii` in the contract, by name."
        yield ""
        for at, kind in [*marks.fields.items()][:MOST_SHOWN]:
            yield f"- `{at}`: {kind}"
    if marks.in_address:
        yield "## Định danh trong địa chỉ / Identifiers in an address"
        yield ("Địa chỉ bị ghi lại trên đường đi: nên đổi sang POST. / Addresses are kept by logs on the way: offer POST with a mapping.")
        yield ""
        for place in marks.in_address[:MOST_SHOWN]:
            yield f"- {place}"


def _left(draft: Draft, examples: Examples) -> Iterator[str]:
    if draft.notes:
        yield "## Bỏ ra, lưu ý / Left out, noted"
        for note in draft.notes[:MOST_SHOWN]:
            yield f"- {note}"
    if examples.missing:
        yield "## Chưa có ví dụ / Without an example"
        for name, reason in examples.missing.items():
            yield f"- `{name}`: {reason}"
