from collections.abc import Sequence

from typing_extensions import Buffer

def points_of(body: bytes, dim: int) -> tuple[list[int | str], bytes, list[bytes]] | None:
    """The ids, the vectors as float32 [points, dim], and the payloads, empty for none, of {"points": [...]}.

    None where there is anything but points with an id, a vector of ``dim`` numbers and maybe a payload, or anything
    wrong: of payloads only the end was looked for.
    """

def vectors_of(array: bytes, dim: int) -> bytes | None:
    """The vectors in an array of them, at least one, as float32 [vectors, dim]; None where it is anything else."""

def each_vector_of(texts: Sequence[Buffer], dim: int) -> list[bytes | None]:
    """Each text's vector as float32 [dim]; None where it is no array of ``dim`` numbers."""

def unplain_payloads(payloads: list[bytes]) -> list[int]:
    """Which payloads are neither empty nor plainly a JSON object that a point may have: those have to be decoded.

    Raises TypeError where one is not ``bytes``.
    """
