"""Settings: what fits together, and what a client is given."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ingest.kafka import KafkaLog, KafkaSettings
from ingest.log import LogUnavailableError, Topic
from tests.support.server import free_port


def test_names_of_topics() -> None:
    settings = KafkaSettings(prefix="a.b")
    assert [settings.topic(topic) for topic in Topic] == ["a.b.catalog", "a.b.points", "a.b.rejected"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"security_protocol": "SASL_SSL"}, "sasl_user and sasl_password"),
        ({"security_protocol": "SASL_PLAINTEXT", "sasl_user": "me"}, "sasl_user and sasl_password"),
        ({"tls_ca": "ca.pem"}, "no meaning with PLAINTEXT"),
        ({"security_protocol": "SSL", "tls_key": "key.pem"}, "tls_key takes tls_certificate"),
        ({"prefix": "a b"}, "prefix"),
        ({"partitions": 0}, "partitions"),
        ({"bootstrap": "x"}, "bootstrap"),
        *(
            ({"bootstrap_servers": text}, "should be HOST:PORT")
            for text in ("", " , ", "h:x", "h:", "h:0", "h:65536", "h,h:-1", "kafka://h:1", "[::1]:x", "a b:1")
        ),
    ],
)
def test_settings_that_do_not_fit_together(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        KafkaSettings.model_validate(options)


@pytest.mark.parametrize(
    "text", ["h", "h:1", "a.b:9092, 10.0.0.1:65535,", "[::1]:1", "[fe80::1%eth0]", "::1", "fe80::1"]
)
def test_where_brokers_may_be(text: str) -> None:
    assert KafkaSettings(bootstrap_servers=text).bootstrap_servers == text


def test_a_password_is_not_shown() -> None:
    settings = KafkaSettings.model_validate(
        {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_user": "me",
            "sasl_password": "guess",
        }
    )
    assert "guess" not in repr(settings)
    arguments = settings.client_arguments()
    assert (arguments["sasl_plain_username"], arguments["sasl_plain_password"]) == ("me", "guess")
    assert arguments["ssl_context"] is not None
    assert arguments["ssl_context"].check_hostname


def test_a_password_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("secret \n")
    options = {"security_protocol": "SASL_PLAINTEXT", "sasl_user": "me", "sasl_password_file": path}
    settings = KafkaSettings.model_validate(options)
    assert settings.client_arguments()["sasl_plain_password"] == "secret "
    with pytest.raises(ValidationError, match="two ways"):
        KafkaSettings.model_validate({**options, "sasl_password": "x"})
    path.unlink()
    with pytest.raises(ValidationError, match="can't be read from"):
        KafkaSettings.model_validate(options)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    settings = KafkaSettings(security_protocol="SSL", tls_ca=tmp_path / "ca.pem")
    with pytest.raises(LogUnavailableError, match="No such file"):
        asyncio.run(KafkaLog.open(settings))


def test_nobody_listens() -> None:
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(LogUnavailableError, match=f"can't be reached at {address}"):
        asyncio.run(KafkaLog.open(KafkaSettings(bootstrap_servers=address, timeout=1)))
