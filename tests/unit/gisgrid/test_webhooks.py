"""Signatures the specification's own library accepts, waits that grow, addresses that are refused."""

from __future__ import annotations

import base64
import datetime as dt
import time
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from gisgrid import webhooks
from gisgrid.errors import BadInput
from gisgrid.limits import WEBHOOK_WAIT_MAX
from gisgrid.settings import WEBHOOK_WAITS, Settings

NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)


def headers(message: str, timestamp: int, signature: str) -> dict[str, str]:
    return {"webhook-id": message, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


@given(body=st.text().map(str.encode), key=st.binary(min_size=24, max_size=64))
def test_an_independent_verifier_accepts_the_signature(body: bytes, key: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    now = int(time.time())
    signed = webhooks.signature([webhooks.key_of(secret)], "msg_1", now, body)
    Webhook(secret).verify(body, headers("msg_1", now, signed), json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", headers("msg_1", now, signed), json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers("msg_2", now, signed), json_parse=False)


def test_while_a_key_is_replaced_either_verifies() -> None:
    secrets = [webhooks.new_secret(), webhooks.new_secret()]
    now = int(time.time())
    signed = webhooks.signature([webhooks.key_of(one) for one in secrets], "msg_1", now, b"{}")
    for secret in secrets:
        assert Webhook(secret).verify(b"{}", headers("msg_1", now, signed)) == {}


def test_the_signature_is_the_one_of_the_specification() -> None:
    # the worked example of the specification's reference libraries
    key = webhooks.key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    signed = webhooks.signature([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_abc", "geheim", "whsec_" + "A" * 20, "whsec_" + "A" * 100, "AAAA" * 8]
)
def test_secrets_that_cannot_be_used_are_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(BadInput) as refused:
        webhooks.key_of(secret)
    assert not secret or len(secret) < 7 or secret not in refused.value.message


def test_a_repeat_is_known_and_a_restored_number_is_not() -> None:
    one = webhooks.message_id(1, 7, NOW)
    assert one == webhooks.message_id(1, 7, NOW.astimezone(dt.timezone(dt.timedelta(hours=8))))
    others = {
        webhooks.message_id(2, 7, NOW),
        webhooks.message_id(1, 8, NOW),
        webhooks.message_id(1, 7, NOW + dt.timedelta(microseconds=1)),
    }
    assert len(others | {one}) == 4
    assert "." not in one


def test_waits_grow_within_the_jitter_and_end() -> None:
    rng = Random(1)
    for failed, base in enumerate(WEBHOOK_WAITS, start=1):
        seen = [webhooks.next_wait(WEBHOOK_WAITS, failed, None, rng) for _ in range(50)]
        assert all(wait is not None and base <= wait <= base * 1.25 for wait in seen)
        assert len(set(seen)) > 10
    assert webhooks.next_wait(WEBHOOK_WAITS, len(WEBHOOK_WAITS) + 1, None, rng) is None
    assert sum(WEBHOOK_WAITS) > 3 * 86_400
    assert webhooks.next_wait(WEBHOOK_WAITS, 1, 900.0, rng) == 900.0, "never sooner than the receiver asks"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None), ("", None), ("soon", None), ("-5", None), ("0", 0.0), ("120", 120.0), (" 30 ", 30.0),
        ("Sun, 01 Mar 2026 12:02:00 GMT", 120.0), ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("9" * 400, WEBHOOK_WAIT_MAX), ("Fri, 31 Dec 9999 23:59:59 GMT", WEBHOOK_WAIT_MAX), ("١٢", None),
    ],
)  # fmt: skip
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert webhooks.retry_after(value, NOW) == seconds


@given(st.text(max_size=60))
def test_any_retry_after_is_read_or_passed_over(value: str) -> None:
    asked = webhooks.retry_after(value, NOW)
    assert asked is None or 0 <= asked <= WEBHOOK_WAIT_MAX


@pytest.mark.parametrize(
    "url",
    [
        "https://dispatch.example.com/hook?key=1",
        "http://127.0.0.1:9/x",
        "http://localhost/",
        "http://10.1.2.3/a",
        "http://[::1]:80/",
        "http://192.168.1.9/",
    ],
)
def test_addresses_that_are_taken(url: str) -> None:
    assert webhooks.check_url(url) == url


@pytest.mark.parametrize(
    "url",
    ["", "dispatch", "ftp://a/b", "file:///etc/passwd", "https://", "https://a b/", "https://a/\n", "https://me:pw@a/", "https://a/#x", "http://8.8.8.8/", "https://a:99999/", "https://[::1/", "https://a/" + "x" * 3000, "javascript:alert(1)"],
)  # fmt: skip
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(BadInput) as refused:
        webhooks.check_url(url)
    assert "\n" not in refused.value.message


def test_http_elsewhere_needs_to_be_allowed() -> None:
    assert webhooks.check_url("http://8.8.8.8/", allow_http=True)


def test_settings_read_waits_and_days() -> None:
    read = Settings.from_env({"GISGRID_WEBHOOK_WAITS": "1, 2,3.5", "GISGRID_KEEP_DAYS": "0.5"})
    assert read.webhook_waits == (1.0, 2.0, 3.5)
    assert read.keep_days == 0.5
    for name in ("GISGRID_WEBHOOK_WAITS", "GISGRID_KEEP_DAYS"):
        for value in ("x", "-1", "nan", "inf", ",", "1;2"):
            with pytest.raises(BadInput, match=name):
                Settings.from_env({name: value})
    with pytest.raises(BadInput, match="a number"):
        Settings.from_env({"GISGRID_KEEP_DAYS": "1,2"})
