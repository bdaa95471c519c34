"""The README's quick start is the example that can be run."""

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_readme_shows_the_quick_start_as_it_is() -> None:
    example = (ROOT / "examples" / "quickstart.py").read_text()
    _, _, code = example.partition('"""\n\n')
    assert f"```python\n{code}```" in (ROOT / "README.md").read_text()
