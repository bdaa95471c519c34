"""Payload indexes in a collection's configuration: changes to them, and the limits."""

from collections.abc import Mapping

from schemas.errors import BadInputError, UnprocessableError
from schemas.payload_index import (
    MAX_PAYLOAD_INDEXES,
    IntegerIndex,
    Language,
    PayloadIndex,
    PayloadIndexes,
    TextIndex,
    field_name,
)
from schemas.text import has_stop_words


def change_indexes(indexes: PayloadIndexes, changes: Mapping[str, PayloadIndex | None] | None) -> PayloadIndexes:
    """The indexes after ``changes``; None removes one, and need not be there. One that says the same stays as it is."""
    merged = dict(indexes)
    for name, index in (changes or {}).items():
        old = merged.get(name)
        if index is None:
            merged.pop(name, None)
        elif old is None or old.params != index.params:
            merged[name] = index
    return merged


def check_indexes(indexes: PayloadIndexes) -> None:
    """Raise BadInputError, UnprocessableError for what no collection can have."""
    if len(indexes) > MAX_PAYLOAD_INDEXES:
        raise UnprocessableError(f"payload_indexes: at most {MAX_PAYLOAD_INDEXES}, not {len(indexes)}")
    for name, index in indexes.items():
        if field_name(name) != name:
            raise BadInputError(f"Wrong input: {name!r} is not how a payload key is spelled in a configuration")
        _check_params(index)


def _check_params(index: PayloadIndex) -> None:
    params = index.params
    if isinstance(params, IntegerIndex) and params.lookup is False and params.range is False:
        raise UnprocessableError(
            "Validation error in JSON body: [field_schema.lookup: Validation error: the 'lookup' and 'range' "
            "capabilities can't be both disabled]"
        )
    if isinstance(params, TextIndex) and params.stopwords is not None:
        chosen = params.stopwords
        languages = (chosen,) if isinstance(chosen, Language) else chosen.languages or ()
        missing = [language.value for language in languages if not has_stop_words(language)]
        if missing:
            raise BadInputError(f"Wrong input: no stop words are known of {', '.join(missing)}")
