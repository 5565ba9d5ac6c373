"""Whose word on the consumer the hub believes: a security server by its address, or by its certificate as a proxy tells it."""

from __future__ import annotations

import base64
import hashlib

import pytest

from lgsp.config import read_settings
from lgsp.drivers.doors.asgi import Asked, Headers
from lgsp.drivers.doors.xroad import introduced_in_rest
from lgsp.errors import Fault, SettingsError
from lgsp.model.parties import Purpose

KEY = {"LGSP_MASTER_KEY": base64.b64encode(bytes(32)).decode()}
CERTIFICATE = b"the certificate of the security server"
FINGERPRINT = hashlib.sha256(CERTIFICATE).hexdigest()
SHOWN = f":{base64.b64encode(CERTIFICATE).decode()}:"


def asked(source: str = "10.1.1.5", **headers: str) -> Asked:
    sent = {"x-road-client": "VN/GOV/H99/m%E1%BB%99t", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {"type": "http", "client": (source, 1), "headers": [(k.encode(), v.encode()) for k, v in sent.items()]}
    return Asked(scope, None, Headers(scope), "m", "t")


def test_a_security_server_of_ours_is_believed_and_completes_the_purpose() -> None:
    found = introduced_in_rest(asked(x_road_userid="VN-CB%20007", x_road_issue="H99-1"), {"10.1.1.5": ""})

    assert found is not None
    assert found.consumer == "VN/GOV/H99/một"
    assert found.purpose(Purpose("xac-minh", "CB001")) == Purpose("xac-minh", "CB001", None, "H99-1", None)


@pytest.mark.parametrize(
    ("source", "shown", "believed"),
    [
        ("10.1.1.9", SHOWN, True),
        ("10.1.1.9", "", False),
        ("10.1.1.9", SHOWN[:-2] + "A:", False),
        ("10.1.1.9", "not base64", False),
        ("10.1.1.8", SHOWN, False),
        ("", SHOWN, False),
    ],
)
def test_where_a_certificate_is_wanted_the_address_alone_is_not_enough(source: str, shown: str, believed: bool) -> None:
    found = introduced_in_rest(asked(source, client_cert=shown), {"10.1.1.9": FINGERPRINT})

    assert (found is not None) is believed


@pytest.mark.parametrize("client", ["VN", "VN//H99/x", "VN/GOV/H99/" + "x" * 300])
def test_a_client_that_cannot_be_read_is_refused(client: str) -> None:
    with pytest.raises(Fault) as caught:
        introduced_in_rest(asked(x_road_client=client), {"10.1.1.5": ""})

    assert caught.value.slug == "malformed-request"


def test_security_servers_stand_in_the_settings() -> None:
    settings = read_settings({**KEY, "LGSP_SECURITY_SERVERS": f"10.1.1.5, 10.1.1.9#{FINGERPRINT.upper()}"})

    assert settings.security_servers == {"10.1.1.5": "", "10.1.1.9": FINGERPRINT}


@pytest.mark.parametrize("text", ["security-server", "10.1.1.5#abc", "10.1.1.5,,"])
def test_what_is_no_address_or_certificate_stops_the_start(text: str) -> None:
    with pytest.raises(SettingsError, match="LGSP_SECURITY_SERVERS"):
        read_settings({**KEY, "LGSP_SECURITY_SERVERS": text})
