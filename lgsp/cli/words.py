"""What commands say, in Vietnamese and English; help texts stay in English beside their options."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "not_reachable": ("Không kết nối được", "Not reachable"),
    "start_hint": (
        "Chạy `lgsp serve`, hoặc chỉ địa chỉ bằng --hub hay LGSP_HUB.",
        "Start it by `lgsp serve`, or name it by --hub or LGSP_HUB.",
    ),
    "sign_in_hint": (
        "Đăng nhập bằng `lgsp login`, hoặc đặt LGSP_USER và LGSP_PASSWORD.",
        "Sign in by `lgsp login`, or set LGSP_USER and LGSP_PASSWORD.",
    ),
    "signed_in": ("{name} đã đăng nhập với vai trò {role}, đến {expires_at}.", "{name} is signed in as {role} until {expires_at}."),
    "consumer_added": ("Đã đăng ký {code}.", "{code} is registered."),
    "secret_once": ("Bí mật chỉ hiện một lần này:", "The secret is shown this once:"),
    "saved": ("Đã lưu vào {path}.", "Kept in {path}."),
    "suspended": ("Đã khóa {code}.", "{code} is suspended."),
    "resumed": ("Đã mở lại {code}.", "{code} may call again."),
    "granted": ("{code} được dùng {service}: {operations}.", "{code} may use {service}: {operations}."),
    "withdrawn": ("{code} không còn được dùng {service}: {operations}.", "{code} may no longer use {service}: {operations}."),
    "no_service": ("Không có dịch vụ {service} được công bố.", "No service {service} is published."),
    "person_added": ("Đã thêm {name} với vai trò {role}.", "{name} is added as {role}."),
    "replayed": ("{message} sẽ được gửi lại tới {provider}.", "{message} will be sent again to {provider}."),
    "no_dead": ("Không có thông điệp nào dừng lại.", "No dead letters."),
    "no_backlog": ("Không có thông điệp nào đang chờ.", "Nothing is waiting."),
    "sound": ("{adapters}: không có lỗi.", "{adapters}: no findings."),
    "findings": ("{count} lỗi.", "{count} findings."),
    "no_adapter": ("{name}: không có adapter.yaml ở đây.", "{name}: no adapter.yaml there."),
    "no_example": (
        "{service}: không tìm thấy thao tác có ví dụ trong adapters/.",
        "{service}: no operation with an example in adapters/.",
    ),
    "no_credentials": (
        "Thiếu thông tin hệ thống: --client-id, LGSP_CLIENT_ID và LGSP_CLIENT_SECRET, hoặc `lgsp consumer add --save`.",
        "No credentials: --client-id, LGSP_CLIENT_ID and LGSP_CLIENT_SECRET, or `lgsp consumer add --save`.",
    ),
    "request": ("Yêu cầu", "Request"),
    "answer": ("Trả lời", "Answer"),
    "same_by_curl": ("Cùng yêu cầu bằng curl", "The same by curl"),
    "hub": ("Nền tảng", "Hub"),
    "version": ("Phiên bản", "Version"),
    "catalogue": ("Danh mục", "Catalogue"),
    "uptime": ("Đã chạy", "Uptime"),
    "provider": ("Bên cung cấp", "Provider"),
    "service": ("Dịch vụ", "Service"),
    "operation": ("Thao tác", "Operation"),
    "operations": ("Thao tác", "Operations"),
    "states": ("Trạng thái", "States"),
    "oldest": ("Cũ nhất", "Oldest"),
    "dead": ("Dừng lại", "Dead"),
    "cause": ("Nguyên nhân", "Cause"),
    "blame": ("Lỗi thuộc", "Blame"),
    "count": ("Số lượng", "Count"),
    "messages": ("Thông điệp", "Messages"),
    "consumer": ("Hệ thống", "Consumer"),
    "client_id": ("client_id", "client_id"),
    "title": ("Tên", "Title"),
    "active": ("Hoạt động", "Active"),
    "purposes": ("Mục đích", "Purposes"),
    "fields": ("Trường", "Fields"),
    "window": ("Thời hạn", "Window"),
    "quota": ("Hạn mức", "Quota"),
    "at": ("Lúc", "At"),
    "author": ("Người thực hiện", "Author"),
    "verb": ("Việc", "Act"),
    "subject": ("Đối tượng", "Subject"),
    "yes": ("có", "yes"),
    "no": ("không", "no"),
    "all": ("tất cả", "all"),
    "exchange": ("Kiểu trao đổi", "Exchange"),
    "data_class": ("Loại dữ liệu", "Data class"),
}


def say(language: str, key: str, **values: object) -> str:
    """The sentence or heading in `vi` or `en`, with its values filled in."""
    return WORDS[key][0 if language == "vi" else 1].format(**values)
