"""No garbage is collected during imports, and all of it again after them."""

import gc
from collections.abc import Iterator

import pytest

from projector.garbage import made_to_stay


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    yield
    gc.enable()


def test_it_is_collected_again_afterwards() -> None:
    with made_to_stay():
        assert not gc.isenabled()
        with made_to_stay():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_is_also_where_an_import_fails() -> None:
    with pytest.raises(ImportError), made_to_stay():
        raise ImportError
    assert gc.isenabled()


def test_who_collects_none_goes_on_with_that() -> None:
    gc.disable()
    with made_to_stay():
        pass
    assert not gc.isenabled()


def test_what_was_made_stays() -> None:
    before = gc.get_freeze_count()
    with made_to_stay():
        made: list[list[int]] = [[] for _ in range(10)]
    assert gc.get_freeze_count() >= before + len(made)
