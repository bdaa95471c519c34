"""Damage at random to any file: the right answer, a refusal that says what to do, or a rebuild."""
