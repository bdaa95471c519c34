"""Quotas: what is refused, until when, and that all processes over a folder hold the same."""

from pathlib import Path

import pytest

from compose import quotas as module
from compose.quotas import Quotas
from schemas.errors import InsufficientStorageError
from schemas.rest.quotas import QuotaConfig, QuotaUsage


@pytest.fixture
def quotas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Quotas:
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.0)
    return Quotas(tmp_path)


def take(quotas: Quotas, monkeypatch: pytest.MonkeyPatch, memory: int | None, disk: int | None) -> None:
    monkeypatch.setattr(quotas, "usage", lambda: QuotaUsage(memory, disk))


def test_the_machine_is_measured(quotas: Quotas) -> None:
    usage = quotas.usage()
    assert usage.disk_usage_percent is not None
    assert 0 <= usage.disk_usage_percent <= 100


def test_what_exceeds_a_limit_is_refused_until_it_is_below_the_margin(
    quotas: Quotas, monkeypatch: pytest.MonkeyPatch
) -> None:
    quotas.set(QuotaConfig(enabled=True, max_disk_usage_percent=90, release_margin_percent=5))
    for disk, refused in ((89, False), (90, True), (87, True), (85, True), (84, False), (89, False)):
        take(quotas, monkeypatch, 100, disk)
        if refused:
            with pytest.raises(InsufficientStorageError, match="disk usage is at"):
                quotas.check()
        else:
            quotas.check()


def test_limits_hold_only_while_enabled(quotas: Quotas, monkeypatch: pytest.MonkeyPatch) -> None:
    take(quotas, monkeypatch, 50, 50)
    quotas.set(QuotaConfig(enabled=True, max_resident_memory_percent=50))
    with pytest.raises(InsufficientStorageError, match="resident memory"):
        quotas.check()
    quotas.set(QuotaConfig(max_resident_memory_percent=50))
    quotas.check()


def test_another_process_holds_the_same(quotas: Quotas, tmp_path: Path) -> None:
    config = QuotaConfig(enabled=True, max_disk_usage_percent=99)
    quotas.set(config)
    assert Quotas(tmp_path).config == config


def test_quotas_that_cannot_be_read_go_on_as_they_were(
    quotas: Quotas, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    quotas.check()
    file = tmp_path / "quotas.json"
    file.mkdir()
    quotas.check()
    file.rmdir()
    quotas.set(QuotaConfig(enabled=True, max_disk_usage_percent=90))
    take(quotas, monkeypatch, 50, 95)
    with pytest.raises(InsufficientStorageError):
        quotas.check()
    file.unlink()
    file.mkdir()
    with pytest.raises(InsufficientStorageError):
        quotas.check()
