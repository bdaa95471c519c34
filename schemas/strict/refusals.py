"""What all limits of strict mode have in common: what is said when one is broken."""

from schemas.errors import BadInputError


def refused(what: str, advice: str) -> BadInputError:
    """The error, with what helps."""
    return BadInputError(f"Bad request: {what}. Help: {advice}.")


def check_limit(name: str, value: float | None, limit: float | None) -> None:
    """Raise BadInputError when a parameter of a request is above its limit. None is no value, or no limit."""
    if value is not None and limit is not None and value > limit:
        most = _shown(limit)
        raise refused(
            f'Limit exceeded {_shown(value)} > {most} for "{name}"', f'Reduce the "{name}" parameter to or below {most}'
        )


def _shown(value: float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
