"""Transcripts sent to a server."""

import gzip
import json
import re
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import quote

from tests.golden.comparison import difference, pointed
from tests.golden.differences import known, unlisted
from tests.golden.transcript import Step, Transcript, read
from tests.support.http import Http

POLL_SECONDS = 120.0
"""How long background work may take where a step waits for it."""
_LISTED_SECONDS = 0.2
"""How long a step is asked again that is known to be answered in another way."""
_NAME = re.compile(r"\$\{(\w+)\}")


class Replay:
    """One transcript on one server, which it leaves without collections."""

    def __init__(
        self,
        transcript: Transcript,
        http: Http,
        url: str,
        snapshots: Path | None = None,
        listed: Collection[int] = (),
    ) -> None:
        """``snapshots``: where the server has those of collections; ``listed``: steps that are known to differ."""
        self._transcript = transcript
        self._listed = listed
        self._http = http
        self._values: dict[str, Any] = {"BASE": url, "SNAPDIR": snapshots}

    def failures(self) -> Iterator[tuple[Step, str]]:
        """The steps whose answers differ, each with the first difference."""
        self._clear()
        for step in self._transcript.steps:
            found = self._take(step)
            if found:
                yield step, found
        self._clear()

    def _take(self, step: Step) -> str | None:
        fields = step.fields
        until = time.monotonic() + (_LISTED_SECONDS if step.number in self._listed else POLL_SECONDS)
        while True:
            status, headers, answer = self._send(fields)
            found = difference(fields, status, headers, answer)
            if not found or not fields.get("poll") or time.monotonic() > until:
                break
            time.sleep(0.02)
        captured: dict[str, str] = fields.get("capture") or {}
        for name, pointer in captured.items():
            self._values[name] = pointed(answer, pointer)
        return found

    def _send(self, fields: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        path = quote(self._filled(fields["path"]), safe="/%?&=+,:;@!$'()*~#[]")
        body = self._body(fields)
        headers = {} if body is None else {"content-type": "application/json"}
        headers |= self._filled(fields.get("headers") or {})
        answer = self._http.send(fields["method"], path, body, headers)
        data = gzip.decompress(answer.body) if answer.headers.get("content-encoding") == "gzip" else answer.body
        try:
            return answer.status, answer.headers, json.loads(data)
        except ValueError:
            return answer.status, answer.headers, data.decode(errors="replace")

    def _body(self, fields: dict[str, Any]) -> bytes | None:
        if "raw_body" in fields:
            raw: str = fields["raw_body"]
            return raw.encode()
        if fields.get("body") is None:
            return None
        spaced = self._transcript.spaced
        separators = (", ", ": ") if spaced else (",", ":")
        return json.dumps(self._filled(fields["body"]), separators=separators, ensure_ascii=spaced).encode()

    def _filled(self, value: Any) -> Any:
        """``value`` with what earlier answers gave in place of ``${NAME}``."""
        if isinstance(value, str):
            whole = _NAME.fullmatch(value)
            if whole and whole[1] in self._values:
                return self._values[whole[1]]
            return _NAME.sub(lambda found: str(self._values.get(found[1], found[0])), value)
        if isinstance(value, list):
            return [self._filled(item) for item in cast("list[Any]", value)]
        if isinstance(value, dict):
            return {key: self._filled(item) for key, item in cast("dict[str, Any]", value).items()}
        return value

    def _clear(self) -> None:
        if self._transcript.server == "auth":
            return  # no other transcript is replayed there
        aliases = self._http.get("/aliases").result["aliases"]
        actions = [{"delete_alias": {"alias_name": alias["alias_name"]}} for alias in aliases]
        if actions:
            assert self._http.post("/collections/aliases", {"actions": actions}).result
        for collection in self._http.get("/collections").result["collections"]:
            assert self._http.delete(f"/collections/{quote(collection['name'], safe='')}").result


class Target(Protocol):
    """What answers."""

    @property
    def port(self) -> int:
        """Where."""
        ...

    @property
    def url(self) -> str:
        """The same."""
        ...

    snapshots: Path
    """Where it has the snapshots of collections."""


def unknown_differences(name: str, target: Target) -> list[str]:
    """The steps of a transcript that ``target`` answers otherwise, but for those that are listed, each with how."""
    transcript, listed = read(name), known(name)
    with Http(target.port) as http:
        replay = Replay(transcript, http, target.url, target.snapshots, listed)
        failures = {step.number: (step, found) for step, found in replay.failures()}
    unknown = unlisted(name, {number: found for number, (_, found) in failures.items()})
    return ["{}: {}".format(*failures[number]) for number in unknown]
