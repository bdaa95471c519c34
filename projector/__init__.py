"""How the log becomes state, segments and feed.

Four parts, each above what it stands on: fold and state (``fold``, ``state``, ``catalog``); what readers search
(``segments``, ``columns``, ``vectors``, ``view``); the ``feed`` for other processes; and the ``worker`` that drives
them, with ``snapshot``.
"""
