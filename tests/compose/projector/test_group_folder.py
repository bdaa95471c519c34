"""One group, one data folder."""

import asyncio
import shutil
from pathlib import Path

import pytest

from compose.errors import UserError
from compose.projector.group_folder import folder_id, member_name, refuse_other_folders, strangers
from ingest.kafka.groups import Member


def member(folder: str, host: str = "10.0.0.7") -> Member:
    return Member(member_name("headwater", folder), host)


def test_a_folder_keeps_its_id_and_a_copy_has_its_own(tmp_path: Path) -> None:
    first = folder_id(tmp_path / "one")
    assert folder_id(tmp_path / "one") == first
    (tmp_path / "one").rename(tmp_path / "moved")
    assert folder_id(tmp_path / "moved") == first
    shutil.copytree(tmp_path / "moved", tmp_path / "copy")
    copied = folder_id(tmp_path / "copy")
    assert copied != first
    assert folder_id(tmp_path / "copy") == copied
    assert folder_id(tmp_path / "moved") == first


def test_members_of_the_same_folder_and_other_clients_are_no_strangers(tmp_path: Path) -> None:
    own, other = folder_id(tmp_path / "own"), folder_id(tmp_path / "other")
    assert strangers([member(own), Member("some-client", "10.0.0.9")], own) == {}
    assert strangers([member(own), member(other)], own) == {other: "10.0.0.7"}


def test_who_works_in_another_folder_is_refused_once_it_is_certain(tmp_path: Path) -> None:
    own, other = folder_id(tmp_path / "own"), folder_id(tmp_path / "other")
    answers = iter([[member(other)], [member(own)]])

    async def gone_the_next_time() -> list[Member]:
        return next(answers)

    async def stays() -> list[Member]:
        return [member(other)]

    asyncio.run(refuse_other_folders(gone_the_next_time, "g", tmp_path / "own", own, seconds=60.0))
    with pytest.raises(UserError, match=r"another projector of the group g .* 10\.0\.0\.7.* another --group"):
        asyncio.run(refuse_other_folders(stays, "g", tmp_path / "own", own, seconds=0.0))
