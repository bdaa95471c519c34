"""How the log becomes state, segments and feed."""
