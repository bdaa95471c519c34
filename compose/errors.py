"""What a user can mend: shown as one message, without a traceback."""

from typing import cast


class UserError(Exception):
    """Something the user can mend; the message says how."""


def expected_errors() -> tuple[type[Exception], ...]:
    """The errors whose message says what to do. Imported once one is raised, not at every start."""
    from compose.http.server import AddressInUseError
    from compose.kafka import BrokerError, MissingToolError
    from ingest.kafka import KafkaTopicError
    from ingest.log import LogDamagedError, LogUnavailableError, RecordTooLargeError
    from projector.snapshot import SnapshotError
    from projector.state.errors import StateDamagedError, StateLockedError, StateUnwritableError
    from projector.state.origin import StateMismatchError

    return (
        AddressInUseError,
        BrokerError,
        KafkaTopicError,
        LogDamagedError,
        LogUnavailableError,
        MissingToolError,
        RecordTooLargeError,
        SnapshotError,
        StateDamagedError,
        StateLockedError,
        StateMismatchError,
        StateUnwritableError,
        UserError,
    )


def first_error(error: BaseException) -> BaseException:
    """What happened first, out of the groups it was raised in."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error
