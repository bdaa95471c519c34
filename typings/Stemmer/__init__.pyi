class Stemmer:
    def __init__(self, algorithm: str, maxCacheSize: int = 10000) -> None: ...  # noqa: N803
    def stemWords(self, words: list[str]) -> list[str]: ...  # noqa: N802
