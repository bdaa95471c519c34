"""Every recorded call is answered with the code and the response that it was, but for those that are listed."""

import json
import tomllib
from pathlib import Path
from typing import Any

from tests.golden.comparison import difference
from tests.grpc.channel import Calls

CALLS = Path(__file__).with_name("codes.jsonl")
OTHER_DETAILS = tomllib.loads(Path(__file__).with_name("details.toml").read_text(encoding="utf-8"))
"""What is said instead, by the number of the call: what REST says for the same fault."""
INSTEAD_OF_INTERNAL = {38: "INVALID_ARGUMENT", 96: "INVALID_ARGUMENT", 97: "INVALID_ARGUMENT"}
"""A model that isn't there is the request's fault, not the server's."""


def test_codes_and_answers(calls: Calls) -> None:
    failures: list[str] = []
    for line in CALLS.read_text(encoding="utf-8").splitlines()[1:]:
        step: dict[str, Any] = json.loads(line)
        answered = calls.call(f"{step['service'].removeprefix('qdrant.')}/{step['method']}", step["request"])
        wanted = INSTEAD_OF_INTERNAL.get(step["n"], step["code"])
        found = None
        if answered.code != wanted:
            found = f"{answered.code} ({answered.details}), not {wanted}"
        elif wanted != "OK":
            said = OTHER_DETAILS.pop(str(step["n"]), step["details"])
            found = None if answered.details == said else f"{answered.details!r}, not {said!r}"
        else:
            compared = {
                "status": 200,
                "answer": step["response"],
                "volatile": step.get("volatile") or ["/commit"],
                "ties_by": "score",
            }
            found = difference(compared, 200, {}, answered.response)
        if found is not None:
            failures.append(f"{step['n']} {step['note']}: {found}")
    assert not failures, "\n".join(failures)
    assert not OTHER_DETAILS, "calls that are not refused"


def test_details_are_those_of_rest(calls: Calls) -> None:
    assert calls.call("Collections/Get", {"collection_name": "none"}).details == (
        "Not found: Collection `none` doesn't exist!"
    )
    assert calls.call("Collections/Get").details == (
        'Validation error in body: [collection_name: value "" invalid, must be from 1 to 255 characters]'
    )
