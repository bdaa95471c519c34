"""The demo: loads the words through the log, then asks the server three things and shows the answers."""

import asyncio
import json
import shlex
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from compose.console import plain_console
from compose.demo_data import DemoWords, load_words
from compose.progress import progress

if TYPE_CHECKING:
    from rich.console import Console

COLLECTION = "words"
BATCH = 500
_NEAREST_TO = "ocean"


async def load_demo(url: str) -> None:
    """Load the words unless they are there, then print requests to paste and what they answer."""
    await asyncio.to_thread(_load_and_show, url)


def _load_and_show(url: str) -> None:
    words = load_words()
    if not _call(url, "GET", f"/collections/{COLLECTION}/exists")["exists"]:
        size = int(words.vectors.shape[1])
        _call(url, "PUT", f"/collections/{COLLECTION}", {"vectors": {"size": size, "distance": "Cosine"}})
    if _call(url, "POST", f"/collections/{COLLECTION}/points/count", {})["count"] < len(words.words):
        _load(url, words)
    _show(url, words)


def _load(url: str, words: DemoWords) -> None:
    with progress("loading 10,000 words", len(words.words)) as advance:
        for start in range(0, len(words.words), BATCH):
            rows = range(start, min(start + BATCH, len(words.words)))
            points = [{"id": i, "vector": words.vectors[i].tolist(), "payload": words.payload(i)} for i in rows]
            _call(url, "PUT", f"/collections/{COLLECTION}/points?wait=true", {"points": points})
            advance(rows.stop)


def _show(url: str, words: DemoWords) -> None:
    console = plain_console()
    nearest = {"query": words.words.index(_NEAREST_TO), "limit": 5, "with_payload": ["word"]}
    hits = _ask(url, console, f"Words nearest to “{_NEAREST_TO}”", "query", nearest)["points"]
    console.print(
        "  -> " + ", ".join(f"{h['payload']['word']} ({h['score']:.3f})" for h in hits), highlight=False, soft_wrap=True
    )
    short = {"key": "length", "range": {"lte": 5}}
    wanted = {"must": [{"key": "first_letter", "match": {"value": "q"}}, short]}
    scroll = {"filter": wanted, "limit": 8, "with_payload": ["word"]}
    page = _ask(url, console, "Short words with q, a page at a time", "scroll", scroll)
    listed = ", ".join(p["payload"]["word"] for p in page["points"])
    console.print(f"  -> {listed}; next page from offset {page['next_page_offset']}", highlight=False, soft_wrap=True)
    count = {"filter": {"must": [{"key": "length", "range": {"gte": 10}}]}}
    counted = _ask(url, console, "How many words have ten letters or more", "count", count)
    console.print(f"  -> {counted['count']}", highlight=False, soft_wrap=True)
    console.print(
        f"\nServing on {url} (its API: {url}/docs). Ctrl-C stops; a second start has everything.", soft_wrap=True
    )


def _ask(url: str, console: "Console", title: str, what: str, body: dict[str, Any]) -> Any:
    path = f"/collections/{COLLECTION}/points/{what}"
    data = shlex.quote(json.dumps(body))
    console.print(f"\n{title}", style="bold")
    command = f"curl -s {url}{path} -H 'content-type: application/json' -d {data}"
    console.print(command, soft_wrap=True, highlight=False)
    return _call(url, "POST", path, body)


def _call(url: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data=data, method=method, headers={"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request) as response:
            return json.load(response)["result"]
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"the demo's {method} {path} failed: {error.read().decode(errors='replace')}") from error
