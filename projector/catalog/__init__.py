"""The catalog: collections and aliases, folded from the one partition of the catalog topic."""
