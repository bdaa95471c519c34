"""The request that declares a payload index."""

from typing import Literal

import msgspec

from schemas.errors import BadInputError
from schemas.payload_index import SIMPLE, IndexParams, PayloadIndex, field_name

SimpleType = Literal["keyword", "integer", "float", "bool", "geo", "datetime", "uuid", "text"]


class CreateIndexRequest(msgspec.Struct):
    """A payload index: a type's name, or a type with its parameters."""

    field_name: str
    field_schema: SimpleType | IndexParams | None = None

    def change(self) -> dict[str, PayloadIndex | None]:
        """What it does to a collection's indexes. Raises BadInputError."""
        schema = self.field_schema
        if schema is None:
            raise BadInputError(
                "Bad request: Can't auto-detect field type, please specify `field_schema` in the request"
            )
        index = PayloadIndex(SIMPLE[schema], simple=True) if isinstance(schema, str) else PayloadIndex(schema)
        return {field_name(self.field_name): index}
