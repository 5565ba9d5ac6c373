"""The words of explain, by language: sentences, states, outcomes and whose fault it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXTS: Mapping[str, Mapping[str, str]] = {
    "vi": {
        "message": "Thông điệp {id} (giờ Việt Nam)",
        "consumer": "Bên gửi",
        "service": "Dịch vụ",
        "operation": "Thao tác",
        "provider": "Bên cung cấp",
        "trace_id": "Mã vết",
        "accepted": "Đã nhận và lưu bền vững",
        "deadline": "; hạn gửi {at}",
        "attempt": "lần {attempt}: ",
        "opened": "{attempt}bắt đầu gọi {provider}",
        "call_begun": "{attempt}bắt đầu bước {name}",
        "call_finished": "{attempt}xong bước {name}",
        "closed": "{attempt}{outcome}, mã {status}, mất {duration}",
        "stages": "các chặng: ",
        "cause": "nguyên nhân: {title} ({slug})",
        "blame": "lỗi thuộc: {who}",
        "detail": "chi tiết: {detail}",
        "settled": "Trạng thái: {state}",
        "again": "; gửi lại lúc {at}",
        "act": "{author} đã thực hiện: {verb}",
        "now": "Hiện tại: {standing}",
        "under_way": "chưa có kết quả",
        "todo": "Cần làm: {action}",
        "nothing": "Không cần làm gì.",
        "nothing_yet": "Không cần làm gì; nền tảng tự gửi.",
        "open": "Chờ; nếu lần trao đổi đã đứt, nền tảng sẽ tự xác định kết quả.",
        "unconfirmed": "Không cần làm gì; bên nhận phải xác nhận, nếu không thông điệp sẽ được giao lại.",
        "look": "Xem chi tiết ở trên rồi quyết định gửi lại hay không.",
    },
    "en": {
        "message": "Message {id} (times of Vietnam)",
        "consumer": "Consumer",
        "service": "Service",
        "operation": "Operation",
        "provider": "Provider",
        "trace_id": "Trace id",
        "accepted": "Accepted and stored durably",
        "deadline": "; to be delivered by {at}",
        "attempt": "attempt {attempt}: ",
        "opened": "{attempt}calling {provider}",
        "call_begun": "{attempt}step {name} begun",
        "call_finished": "{attempt}step {name} finished",
        "closed": "{attempt}{outcome}, status {status}, took {duration}",
        "stages": "stages: ",
        "cause": "cause: {title} ({slug})",
        "blame": "whose fault: {who}",
        "detail": "detail: {detail}",
        "settled": "State: {state}",
        "again": "; again at {at}",
        "act": "{author} did: {verb}",
        "now": "Now: {standing}",
        "under_way": "no result yet",
        "todo": "To do: {action}",
        "nothing": "Nothing.",
        "nothing_yet": "Nothing; the hub sends it by itself.",
        "open": "Wait; if the exchange broke off, the hub finds out the outcome by itself.",
        "unconfirmed": "Nothing; the addressee is to confirm it, or it is handed out again.",
        "look": "Read the details above and decide whether to replay.",
    },
}

STATES: Mapping[str, Mapping[str, str]] = {
    "vi": {
        "accepted": "đã nhận",
        "waiting": "đang chờ gửi",
        "delivering": "đang gửi",
        "delivered": "đã giao",
        "unknown": "chưa rõ kết quả",
        "refused": "bị từ chối nghiệp vụ",
        "dead": "dừng lại, chờ người xử lý",
        "held": "đang giữ",
        "superseded": "đã có bản thay thế",
        "expired": "đã hết hạn",
        "cancelled": "đã hủy",
    },
    "en": {
        "accepted": "accepted",
        "waiting": "waiting to be sent",
        "delivering": "being delivered",
        "delivered": "delivered",
        "unknown": "outcome unknown",
        "refused": "refused by the provider",
        "dead": "at rest, needs a person",
        "held": "held",
        "superseded": "superseded",
        "expired": "expired",
        "cancelled": "cancelled",
    },
}

OUTCOMES: Mapping[str, Mapping[str, str]] = {
    "vi": {
        "delivered": "thành công",
        "accepted": "đã nhận để gửi",
        "replayed": "trả lại câu trả lời đã lưu",
        "handed_over": "bên nhận đã lấy, chờ xác nhận",
        "refused": "bị từ chối",
        "failed": "thất bại",
        "unknown": "chưa rõ kết quả",
    },
    "en": {
        "delivered": "succeeded",
        "accepted": "accepted for delivery",
        "replayed": "answered from the stored answer",
        "handed_over": "fetched by the addressee, who is yet to confirm",
        "refused": "refused",
        "failed": "failed",
        "unknown": "outcome unknown",
    },
}

BLAMES: Mapping[str, Mapping[str, str]] = {
    "vi": {
        "consumer": "bên gửi",
        "platform": "nền tảng",
        "provider": "bên cung cấp",
        "national": "hệ thống quốc gia",
        "network": "mạng truyền dẫn",
    },
    "en": {
        "consumer": "the consumer",
        "platform": "the platform",
        "provider": "the provider",
        "national": "a national system",
        "network": "the network",
    },
}
