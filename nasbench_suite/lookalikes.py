"""Names that look like others: letters of two alphabets that are drawn alike, and what is not seen.

A board shows names that anybody chose. What hides or turns what stands beside it is written as
Python escapes it; a word with letters drawn as Latin ones of another alphabet is marked. Known are
Cyrillic and Greek, and the forms that Unicode calls compatible (full-width, mathematical, Roman
numerals); ``l`` and ``1``, or ``rn`` and ``m``, are not told apart.
"""

from __future__ import annotations

import re
import unicodedata

from nasbench_suite.errors import printable

_ALIKE = frozenset("асеорхуіјѕһԁԛԝӏАВЕКМНОРСТХУІЈЅԌԜ" + "οιαγνρυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ")
_WORD = re.compile(r"[^\W\d_]+")
# Printable to Python and yet drawn as nothing: fillers, joiners, variation selectors.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0]")


def shown_name(name: str) -> str:
    """A name as it can be shown beside others; most are shown as they are.

    >>> shown_name("regularized-evolution[population_size=50]")
    'regularized-evolution[population_size=50]'
    >>> shown_name("r\\u0430ndom")
    'r\\u0430ndom (letters that look Latin: U+0430)'
    >>> shown_name("ran\\u200bdom")
    'ran\\\\u200bdom'
    """
    if name.isascii() and name.isprintable():
        return name
    text = printable(_UNSEEN.sub(lambda found: ascii(found[0])[1:-1], name))
    text = text.replace("\n", "\\n").replace("\t", "\\t")
    letters = dict.fromkeys(letter for word in _WORD.findall(name) for letter in _disguised(word))
    if not letters:
        return text
    return f"{text} (letters that look Latin: {', '.join(f'U+{ord(one):04X}' for one in letters)})"


def _disguised(word: str) -> list[str]:
    """The letters of a word that are drawn as Latin ones, if it is to be taken for a Latin word."""
    forms = [letter for letter in word if unicodedata.normalize("NFKC", letter) != letter]
    alike = [letter for letter in word if letter in _ALIKE]
    others = [letter for letter in word if letter not in _ALIKE]
    latin = any(unicodedata.name(letter, "").startswith("LATIN") for letter in others)
    return forms + (alike if alike and (latin or not others) else [])
