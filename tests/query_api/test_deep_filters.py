"""Filters that are nested too deeply are refused, however deep exactly."""

import pytest

from query_api.plan.fields import to_filter
from schemas.errors import BadInputError


@pytest.mark.parametrize("levels", [100, 400, *range(480, 500, 2), 600, 900])
def test_are_refused(levels: int) -> None:
    filter_: dict[str, object] = {}
    for _ in range(levels):
        filter_ = {"must": [filter_]}
    with pytest.raises(BadInputError):
        to_filter(filter_)
