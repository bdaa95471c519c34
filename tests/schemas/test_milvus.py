"""Milvus's parameters on the requests that create and change collections."""

import msgspec
import pytest

from schemas.config import Distance, apply_patch
from schemas.errors import BadInputError, HeadwaterError
from schemas.rest.collections import CreateCollectionRequest, UpdateCollectionRequest

TEST01 = {"collection_name": "test01", "dimension": 256, "index_file_size": 2048, "metric_type": "L2"}


def created(body: object) -> CreateCollectionRequest:
    return msgspec.json.decode(msgspec.json.encode(body), type=CreateCollectionRequest)


@pytest.mark.parametrize(
    ("metric", "distance"), [("L2", Distance.EUCLID), ("IP", Distance.DOT), ("COSINE", Distance.COSINE)]
)
def test_they_make_a_collection_with_the_unnamed_vector(metric: str, distance: Distance) -> None:
    config = created({**TEST01, "metric_type": metric}).config("test01")
    assert (config.vectors[""].size, config.vectors[""].distance) == (256, distance)
    assert config.optimizers.max_segment_size == 2048 * 1024
    assert created({"dimension": 4, "metric_type": metric}).config("x").optimizers.max_segment_size == 1024 * 1024


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"collection_name": "other"}, "names `other`, the path `test01`"),
        ({"dimension": None}, "`dimension` and `metric_type` together"),
        ({"metric_type": None}, "`dimension` and `metric_type` together"),
        ({"metric_type": "JACCARD"}, "binary vectors"),
        ({"index_file_size": 0}, "expected 1 to 4096 MB"),
        ({"index_file_size": 4097}, "expected 1 to 4096 MB"),
        ({"dimension": 0}, "size"),
        ({"vectors": {"size": 4, "distance": "Dot"}}, "give `vectors`, or"),
        ({"optimizers_config": {"max_segment_size": 5}}, "give one of"),
    ],
)
def test_what_they_can_t_say_is_refused(change: dict[str, object], text: str) -> None:
    with pytest.raises(HeadwaterError, match=text):
        created({**TEST01, **change}).config("test01")


@pytest.mark.parametrize("name", ["metric_type", "index_file_size", "dimension"])
def test_they_never_change(name: str) -> None:
    body = msgspec.json.encode({name: TEST01[name]})
    with pytest.raises(BadInputError, match=f"{name} can't be changed after"):
        msgspec.json.decode(body, type=UpdateCollectionRequest).patch()


def test_nor_does_the_size_under_another_name() -> None:
    change = msgspec.json.decode(b'{"optimizers_config": {"max_segment_size": 7}}', type=UpdateCollectionRequest)
    with pytest.raises(BadInputError, match="index_file_size, which can't be changed"):
        apply_patch(created(TEST01).config("test01"), change.patch())
    plain = created({"vectors": {"size": 4, "distance": "Dot"}}).config("x")
    assert apply_patch(plain, change.patch()).optimizers.max_segment_size == 7
