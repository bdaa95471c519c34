"""What commands that look at a data folder print for programs."""

import json
from pathlib import Path
from typing import Any

from tests.support.http import Http
from tests.support.server import Server, headwater


def test_everything_there_is_as_json(tmp_path: Path) -> None:
    data = tmp_path / "data"

    def printed(*arguments: str) -> Any:
        done = headwater(*arguments, "--json", "--data", str(data))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    with Server(data) as server:
        server.start()
        with Http(server.port) as http:
            sparse: dict[str, Any] = {"terms": {}}
            body = {"vectors": {"size": 2, "distance": "Dot"}, "sparse_vectors": sparse, "shard_number": 2}
            assert http.put("/collections/words", body).status == 200
            points = [{"id": n, "vector": [n, 1.0]} for n in range(1, 6)]
            assert http.put("/collections/words/points?wait=true", {"points": points}).status == 200
        assert headwater("snapshot", "create", "--name", "one", "--data", str(data)).returncode == 0
        server.stop()

    info = printed("info")
    assert info["groups"] is None
    (topic,) = (topic for topic in info["topics"] if topic["topic"] == "points")
    state = info["state"]
    assert state["losses"] == []
    (collection,) = state["collections"]
    assert collection["name"] == "words"
    assert collection["vectors"] == [
        {"name": "", "kind": "dense", "size": 2, "distance": "Dot"},
        {"name": "terms", "kind": "sparse", "size": None, "distance": None},
    ]
    assert collection["shard_map"] == [0, 0]
    assert sum(shard["points"] for shard in state["shards"]) == 5
    assert {shard["applied_offset"] for shard in state["shards"]} == {topic["end_offset"] - 1}

    (verdict,) = printed("verify")
    assert verdict["equal"] is True
    assert verdict["folds"] == verdict["folds_afresh"]
    assert [shard["digest"] for shard in verdict["shards"]] == [shard["digest"] for shard in state["shards"]]

    (snapshot,) = printed("snapshot", "list")
    assert snapshot["name"] == "one"
    assert snapshot["log"] == info["log"]
    assert snapshot["applied_offsets"]["points-0"] == topic["end_offset"] - 1
    assert snapshot["bytes"] > 0
    assert snapshot["made"].endswith("Z")
