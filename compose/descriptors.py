"""How many files this process may have open."""

import resource

import structlog

WANTED = 1 << 16
FEW = 4096
"""Every collection has a folder and a handful of open files; connections need one each."""

_logger = structlog.get_logger("headwater")


def raise_descriptor_limit() -> None:
    """Raise the soft limit of open files as far as the hard one lets it; processes started from here inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    if soft != resource.RLIM_INFINITY and soft < FEW:
        _logger.warning("few files may be open: raise the hard limit (ulimit -Hn)", limit=soft, wanted=FEW)
