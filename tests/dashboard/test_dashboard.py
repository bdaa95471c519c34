"""The page at /dashboard: its numbers, and what a browser makes of them."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.server import Server

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
KEY = {"HEADWATER_API_KEY": "secret", "HEADWATER_READ_ONLY_API_KEY": "reader"}
WORDS = ("ocean", "sea", "<b>mountain</b>")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("dashboard") / "data") as running:
        running.start()
        with httpx.Client(base_url=running.url, timeout=60) as rest:
            rest.put("/collections/words", json={"vectors": {"size": 2, "distance": "Dot"}})
            points = [{"id": i, "vector": [i, 1], "payload": {"word": word}} for i, word in enumerate(WORDS)]
            rest.put("/collections/words/points", params={"wait": "true"}, json={"points": points})
            alias = {"create_alias": {"collection_name": "words", "alias_name": "known-as"}}
            rest.post("/collections/aliases", json={"actions": [alias]})
        yield running


def test_its_numbers_are_those_of_the_server(server: Server) -> None:
    status = httpx.get(f"{server.url}/dashboard/status", timeout=60).json()["result"]
    [words] = status["collections"]
    assert (words["name"], words["points"], words["status"], words["aliases"]) == ("words", 3, "green", ["known-as"])
    rows = {(row["topic"], row["partition"]): row for row in status["partitions"]}
    assert rows.keys() == {("catalog", 0), ("points", 0)}
    for row in rows.values():
        assert row["visible"] == row["end"] - 1
        assert row["visible_lag"] == 0
    assert rows["points", 0]["applied_lag"] == 0
    assert status["rejected"] == {"count": 0, "last": []}
    assert status["ready"] == "ready"


def test_everything_it_loads_is_the_server_s_own(server: Server) -> None:
    page = httpx.get(f"{server.url}/dashboard", timeout=60)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "//" not in page.text
    for part, kind in (("page.css", "text/css"), ("page.js", "text/javascript")):
        assert f'"dashboard/{part}"' in page.text
        assert httpx.get(f"{server.url}/dashboard/{part}", timeout=60).headers["content-type"].startswith(kind)


def test_the_page_takes_no_key_and_its_numbers_do(tmp_path: Path) -> None:
    with Server(tmp_path / "data", environment=KEY) as running:
        running.start()
        assert httpx.get(f"{running.url}/dashboard", timeout=60).status_code == 200
        assert httpx.get(f"{running.url}/dashboard/status", timeout=60).status_code == 401
        reader = httpx.get(f"{running.url}/dashboard/status", headers={"api-key": "reader"}, timeout=60)
        assert reader.status_code == 200


@pytest.fixture(scope="module")
def browser() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("there is no Chromium")
    return found


def test_a_browser_shows_them(server: Server, browser: str, tmp_path: Path) -> None:
    command = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path}",
        "--virtual-time-budget=5000",
        "--dump-dom",
        f"{server.url}/dashboard",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert '<td>words</td><td class="green">green</td><td class="number">3</td>' in done.stdout
    assert "<td>known-as</td>" in done.stdout
    assert '<td>points</td><td class="number">0</td>' in done.stdout
    assert '<section id="demo">' in done.stdout
    assert '<p id="trouble" role="alert" hidden="">' in done.stdout
