"""Where settings come from: flags, else HEADWATER_* environment variables, else some of Qdrant's, else defaults.

What is nested is named with two underscores in the environment: ``HEADWATER_KAFKA__BOOTSTRAP_SERVERS``.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import msgspec

from compose.errors import UserError
from compose.settings import Secret, Settings

if TYPE_CHECKING:
    from ingest.kafka.settings import KafkaSettings

PREFIX = "headwater_"
KAFKA = f"{PREFIX}kafka"
QDRANTS = {
    "grpc_port": "QDRANT__SERVICE__GRPC_PORT",
    "max_collections": "QDRANT__STORAGE__MAX_COLLECTIONS",
    "api_key": "QDRANT__SERVICE__API_KEY",
    "alt_api_key": "QDRANT__SERVICE__ALT_API_KEY",
    "read_only_api_key": "QDRANT__SERVICE__READ_ONLY_API_KEY",
    "alt_read_only_api_key": "QDRANT__SERVICE__ALT_READ_ONLY_API_KEY",
    "tls_cert": "QDRANT__TLS__CERT",
    "tls_key": "QDRANT__TLS__KEY",
    "snapshots_path": "QDRANT__STORAGE__SNAPSHOTS_PATH",
    "cluster_enabled": "QDRANT__CLUSTER__ENABLED",
}
"""Variables that Qdrant has for a setting; ours goes before."""
CREDENTIALS = ("api_key", "alt_api_key", "read_only_api_key", "alt_read_only_api_key", "tls_cert", "tls_key")
"""Settings without which a server is open to more than its operator may think."""

_YES = frozenset({"1", "true", "t", "yes", "y", "on"})
_NO = frozenset({"0", "false", "f", "no", "n", "off"})
_LIMIT = re.compile(r"Expected `\w+(?: \| null)?`( of length)? (<=|>=) (\S+)")
_LIMITS = {"<=": "less than or equal to", ">=": "greater than or equal to"}
_KIND = re.compile(r"Expected `(\w+)")
_KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list of texts, as JSON"}
_WHERE = re.compile(r" - at `\$\.(\w+)(\[)?")


def read_settings(environment: Mapping[str, str] = os.environ, **given: Any) -> Settings:
    """Settings that are ``given``, over those of the environment. Raises UserError."""
    # As is usual for servers: names in any case.
    said = {name.lower(): text for name, text in environment.items()}
    values = {**_from_environment(said), **given}
    nested, flags = _nested(said), values.pop("kafka", None)
    try:
        settings = msgspec.convert(values, Settings, dec_hook=_made)
    except msgspec.ValidationError as error:
        raise UserError(_sentence(str(error), values)) from error
    if nested is None and flags is None:
        return settings
    kafka = _read_kafka({**(nested or {}), **(flags or {})})
    if kafka.partitions is None:  # they are of either log
        kafka = kafka.model_copy(update={"partitions": settings.partitions})
    return settings.changed(kafka=kafka)


def unread_credentials(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables that have only the name of a key or certificate, which once was enough, and the ones to set instead.

    Where the setting is given by a variable that is read, the other one is somebody else's.
    """
    said = {name.lower(): name for name, text in environment.items() if text}
    return {
        said[name]: (PREFIX + name).upper()
        for name in CREDENTIALS
        if name in said and PREFIX + name not in said and QDRANTS[name].lower() not in said
    }


def _from_environment(said: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(Settings):
        name = field.name
        text = said.get(PREFIX + name, said.get(QDRANTS[name].lower()) if name in QDRANTS else None)
        if text is None or name == "kafka":
            continue
        found[name] = _from_json(name, text) if name == "cors_origins" else _from_text(field.type, text)
    return found


def _from_text(kind: Any, text: str) -> Any:
    """A text as a value of a kind, with or without None; where it is none it stays, which is then said to be wrong."""
    try:
        if _includes(kind, bool):
            word = text.strip().lower()
            return word in _YES if word in _YES | _NO else text
        if _includes(kind, int):
            return int(text)
        return float(text) if _includes(kind, float) else text
    except ValueError:
        return text


def _includes(kind: Any, wanted: type) -> bool:
    return kind is wanted or any(_includes(each, wanted) for each in get_args(kind))


def _nested(said: Mapping[str, str]) -> dict[str, Any] | None:
    """What the environment says of Kafka: as a JSON object, over that by variables of their own. None: nothing."""
    begin = f"{KAFKA}__"
    parts = {name.removeprefix(begin): text for name, text in said.items() if name.startswith(begin)}
    if KAFKA not in said:
        return parts or None
    found: Any = _from_json("kafka", said[KAFKA])
    if not isinstance(found, dict):
        raise UserError("kafka: should be a JSON object")
    return {**cast("dict[str, Any]", found), **parts}


def _from_json(name: str, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise UserError(f"{name}: should be JSON: {error}") from error
    except UnicodeEncodeError as error:  # bytes that are no text stand for themselves in the environment
        raise UserError(f"{name}: should be UTF-8") from error


def _read_kafka(nested: dict[str, Any]) -> "KafkaSettings":
    """Raises UserError."""
    from pydantic import ValidationError

    from ingest.kafka.settings import KafkaSettings

    try:
        return KafkaSettings.model_validate(nested)
    except ValidationError as error:
        first = error.errors()[0]
        said = first["msg"].replace("Input should", "should").removeprefix("Value error, ")
        # Other values may be keys.
        instead = f", not {first['input']}" if first["type"].startswith(("greater_than", "less_than")) else ""
        raise UserError(f"{'.'.join(str(part) for part in ('kafka', *first['loc']))}: {said}{instead}") from error


def _made(kind: type, value: Any) -> Any:
    """What msgspec has no type for."""
    if kind not in (Path, Secret):
        raise NotImplementedError(kind)
    if kind is Path and value == "":  # which would be the current folder
        raise ValueError("should not be empty")
    return value if isinstance(value, kind) else kind(value)


def _sentence(message: str, values: Mapping[str, Any]) -> str:
    """What msgspec says of a value, so that an operator knows which it is."""
    where = _WHERE.search(message)
    if where is None:
        return message
    name = where[1]
    if limit := _LIMIT.match(message):
        if limit[1]:
            return f"{name}: should not be empty"
        return f"{name}: should be {_LIMITS[limit[2]]} {limit[3]}, not {values[name]}"
    kind = _KIND.match(message)
    if kind is None:
        return f"{name}: {message[: where.start()]}"
    expected = "array" if where[2] else kind[1]
    return f"{name}: should be {_KINDS.get(expected, expected)}"
