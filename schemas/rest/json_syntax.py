"""What is wrong with a text that is no JSON, and where: in the words and at the column where serde_json says it."""

import re
from math import isinf

_SPACE = re.compile(rb"[ \t\n\r]*")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_DIGITS = re.compile(rb"[0-9]*")
_HEX = re.compile(rb"[0-9a-fA-F]{4}")
_ESCAPES = b'"\\/bfnrtu'
_IDENTS = {b"t": b"true", b"f": b"false", b"n": b"null"}
_END = {"[": b"]", "{": b"}"}
_WHOLE = {"[": "EOF while parsing a list", "{": "EOF while parsing an object"}
_BETWEEN = {"[": "expected `,` or `]`", "{": "expected `,` or `}`"}
_NO_VALUE = "EOF while parsing a value"
_NO_STRING = "EOF while parsing a string"
_HIGH, _LOW, _AFTER = 0xD800, 0xDC00, 0xE000


def syntax_error(text: bytes) -> str | None:
    """The first error and its place, as ``trailing comma at line 1 column 12``; None where there is none."""
    try:
        _Scanner(text).document()
    except _FoundError as found:
        lines = text[: found.end].split(b"\n")
        return f"{found.what} at line {len(lines)} column {len(lines[-1])}"
    return None


class _FoundError(Exception):
    """``end``: how much of the text has been looked at, the byte that is wrong included."""

    def __init__(self, what: str, end: int) -> None:
        self.what = what
        self.end = end


class _Scanner:
    def __init__(self, text: bytes) -> None:
        self._text = text
        self._at = 0
        self._open: list[str] = []
        self._opened = False
        """Whether the last byte taken was an opening bracket."""

    def document(self) -> None:
        """Go through the text. Raises _FoundError."""
        self._value()
        while self._open:
            if self._opened:
                self._opened = False
                self._first()
            else:
                self._next()
        if self._peek():
            raise self._here("trailing characters")

    def _here(self, what: str) -> _FoundError:
        """An error of the byte that comes next."""
        return _FoundError(what, min(self._at + 1, len(self._text)))

    def _past(self, what: str) -> _FoundError:
        """An error of what was taken."""
        return _FoundError(what, self._at)

    def _peek(self) -> bytes:
        """The next byte that is no space; nothing at the end."""
        self._skip(_SPACE)
        return self._text[self._at : self._at + 1]

    def _skip(self, pattern: re.Pattern[bytes]) -> int:
        found = pattern.match(self._text, self._at)
        start, self._at = self._at, self._at if found is None else found.end()
        return self._at - start

    def _take(self, missing: str) -> bytes:
        byte = self._text[self._at : self._at + 1]
        if not byte:
            raise self._past(missing)
        self._at += 1
        return byte

    def _value(self) -> None:
        """A value, or the beginning of an array or an object."""
        byte = self._peek()
        if not byte:
            raise self._here(_NO_VALUE)
        if byte in b"[{":
            self._at += 1
            self._open.append(byte.decode())
            self._opened = True
        elif byte == b'"':
            self._string()
        elif byte in _IDENTS:
            for letter in _IDENTS[byte]:
                if self._take(_NO_VALUE) != bytes((letter,)):
                    raise self._past("expected ident")
        elif byte in b"-0123456789":
            self._number()
        else:
            raise self._here("expected value")

    def _first(self) -> None:
        """What comes after an opening bracket."""
        kind = self._open[-1]
        byte = self._unclosed()
        if not byte:
            return
        if kind == "{":
            self._key(byte)
        self._value()

    def _unclosed(self) -> bytes:
        """The next byte; nothing where it closed the innermost bracket."""
        kind = self._open[-1]
        byte = self._peek()
        if not byte:
            raise self._here(_WHOLE[kind])
        if byte == _END[kind]:
            self._close()
            return b""
        return byte

    def _next(self) -> None:
        """What comes after a value in an array or an object."""
        kind = self._open[-1]
        byte = self._unclosed()
        if not byte:
            return
        if byte != b",":
            raise self._here(_BETWEEN[kind])
        self._at += 1
        byte = self._peek()
        if not byte:
            raise self._here(_NO_VALUE)
        if byte == _END[kind]:
            raise self._here("trailing comma")
        if kind == "{":
            self._key(byte)
        self._value()

    def _close(self) -> None:
        self._at += 1
        self._open.pop()

    def _key(self, byte: bytes) -> None:
        if byte != b'"':
            raise self._here("key must be a string")
        self._string()
        colon = self._peek()
        if not colon:
            raise self._here(_WHOLE["{"])
        if colon != b":":
            raise self._here("expected `:`")
        self._at += 1

    def _string(self) -> None:
        start = self._at
        self._at += 1
        while True:
            self._skip(_PLAIN)
            byte = self._take(_NO_STRING)
            if byte == b'"':
                break
            if byte == b"\\":
                self._escape()
            else:
                raise self._past("control character (\\u0000-\\u001F) found while parsing a string")
        try:
            self._text[start : self._at].decode()
        except UnicodeDecodeError:
            raise self._past("invalid unicode code point") from None

    def _escape(self) -> None:
        byte = self._take(_NO_STRING)
        if byte not in _ESCAPES:
            raise self._past("invalid escape")
        if byte != b"u":
            return
        code = self._hex()
        if _LOW <= code < _AFTER:
            raise self._past("lone leading surrogate in hex escape")
        if _HIGH <= code < _LOW:
            if self._take(_NO_STRING) != b"\\" or self._take(_NO_STRING) != b"u":
                raise self._past("unexpected end of hex escape")
            if not _LOW <= self._hex() < _AFTER:
                raise self._past("lone leading surrogate in hex escape")

    def _hex(self) -> int:
        found = _HEX.match(self._text, self._at)
        self._at = min(self._at + 4, len(self._text))
        if found is None:
            raise self._past(_NO_STRING if self._at == len(self._text) else "invalid escape")
        return int(found[0], 16)

    def _number(self) -> None:
        start = self._at
        if self._text[start : start + 1] == b"-":
            self._at += 1
        byte = self._take(_NO_VALUE)
        if byte == b"0":
            if self._text[self._at : self._at + 1].isdigit():
                raise self._here("invalid number")
        elif not byte.isdigit():
            raise self._past("invalid number")
        self._skip(_DIGITS)
        if self._text[self._at : self._at + 1] == b".":
            self._at += 1
            if not self._skip(_DIGITS):
                raise self._here("invalid number" if self._at < len(self._text) else _NO_VALUE)
        if self._text[self._at : self._at + 1] in (b"e", b"E"):
            self._at += 1
            if self._text[self._at : self._at + 1] in (b"+", b"-"):
                self._at += 1
            if not self._take(_NO_VALUE).isdigit():
                raise self._past("invalid number")
            self._skip(_DIGITS)
        if isinf(float(self._text[start : self._at])):
            raise self._past("number out of range")
