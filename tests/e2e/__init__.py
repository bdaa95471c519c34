"""Black-box tests: a server process, reached through HTTP alone."""
