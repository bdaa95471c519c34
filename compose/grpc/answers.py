"""The results of REST as messages."""

from collections.abc import Callable
from typing import Any

from compose.grpc.fields import Descriptor, Json, is_map
from compose.grpc.values import write_id, write_value

Writer = Callable[[Json, Any], None]
WRITERS: dict[str, Writer] = {}
"""How messages are filled in that REST writes in another form, by their names."""


def writes(*names: str) -> Callable[[Writer], Writer]:
    """Let a function fill in the messages of these names."""

    def register(writer: Writer) -> Writer:
        WRITERS.update(dict.fromkeys(names, writer))
        return writer

    return register


def write(value: Json, message: Any) -> None:
    """Fill in any message."""
    message.SetInParent()
    writer = WRITERS.get(str(message.DESCRIPTOR.name))
    if writer is None:
        write_fields(value, message)
    else:
        writer(value, message)


def write_fields(value: dict[str, Json], message: Any, **names: str) -> None:
    """Fill in the fields that are there; ``names``: those with another name in REST."""
    descriptor: Descriptor = message.DESCRIPTOR
    for field in descriptor.fields:
        name = str(field.name)
        found = value.get(names.get(name, name))
        if found is not None:
            _write_field(field, found, message)


def write_all(values: list[Json], messages: Any) -> None:
    """Fill in a repeated field of messages."""
    for value in values:
        write(value, messages.add())


def _write_field(field: Descriptor, value: Json, message: Any) -> None:
    target = getattr(message, field.name)
    if is_map(field):
        if field.message_type.fields_by_name["value"].message_type is None:
            target.update(value)
        else:
            for key, one in value.items():
                write(one, target[key])
    elif field.is_repeated:
        if field.message_type is None:
            target.extend(value)
        else:
            write_all(value, target)
    elif field.message_type is not None:
        write(value, target)
    else:
        setattr(message, field.name, value if field.enum_type is None else _enum(field.enum_type, value))


def _enum(enum: Descriptor, name: str) -> int:
    wanted = name.replace("_", "").lower()
    for value in enum.values:
        if value.name.replace("_", "").lower() == wanted:
            return value.number
    return 0


WRITERS["PointId"] = write_id
WRITERS["Value"] = write_value


@writes("GroupId")
def _group(value: Json, message: Any) -> None:
    if isinstance(value, str):
        message.string_value = value
    elif value < 0:
        message.integer_value = value
    else:
        message.unsigned_value = value


@writes("FacetValue")
def _facet(value: Json, message: Any) -> None:
    kind = "bool_value" if isinstance(value, bool) else "integer_value" if isinstance(value, int) else "string_value"
    setattr(message, kind, value)


@writes("ShardKey")
def _shard_key(value: Json, message: Any) -> None:
    setattr(message, "number" if isinstance(value, int) else "keyword", value)


@writes("Timestamp")
def _timestamp(value: str, message: Any) -> None:
    message.FromJsonString(value if value.endswith("Z") else f"{value}Z")


@writes("OptimizerStatus")
def _optimizer_status(value: Json, message: Any) -> None:
    message.ok = value == "ok"
    if isinstance(value, dict):
        message.error = value["error"]


@writes("CollectionConfig")
def _config(value: Json, message: Any) -> None:
    threads = value["optimizer_config"].get("max_optimization_threads")
    write_fields(value, message)
    write("auto" if threads is None else threads, message.optimizer_config.max_optimization_threads)


@writes("CollectionParams")
def _params(value: Json, message: Any) -> None:
    write_fields(value, message, vectors_config="vectors", sparse_vectors_config="sparse_vectors")


@writes("VectorsConfig")
def _vectors_config(value: Json, message: Any) -> None:
    if isinstance(value.get("size"), int):
        write(value, message.params)
        return
    message.params_map.SetInParent()
    for name, params in value.items():
        write(params, message.params_map.map[name])


@writes("SparseVectorConfig")
def _sparse_config(value: Json, message: Any) -> None:
    for name, params in value.items():
        write(params, message.map[name])


@writes("QuantizationConfig")
def _quantization(value: Json, message: Any) -> None:
    write_fields(value, message, turboquant="turbo")


@writes("BinaryQuantizationQueryEncoding", "MaxOptimizationThreads")
def _setting(value: Json, message: Any) -> None:
    if isinstance(value, int):
        message.value = value
    else:
        message.setting = _enum(message.DESCRIPTOR.fields_by_name["setting"].enum_type, value)


@writes("StrictModeMultivectorConfig", "StrictModeSparseConfig")
def _strict_map(value: Json, message: Any) -> None:
    (field,) = message.DESCRIPTOR.fields
    write_fields({field.name: value}, message)


@writes("PayloadIndexParams")
def _index_params(value: Json, message: Any) -> None:
    target = getattr(message, f"{value['type']}_index_params", None)
    if target is not None:
        write({name: one for name, one in value.items() if name != "type"}, target)


@writes("KeywordPrefixParams")
def _prefix(_: Json, message: Any) -> None:
    message.SetInParent()


@writes("StopwordsSet")
def _stopwords(value: Json, message: Any) -> None:
    write_fields({"languages": [value]} if isinstance(value, str) else value, message)


@writes("StemmingAlgorithm")
def _stemmer(value: Json, message: Any) -> None:
    if value["type"] == "snowball":
        message.snowball.language = value["language"]
    else:
        message.disabled.SetInParent()
