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

# Cyrillic, then Greek; given by number, as nobody could tell them apart here either.
_ALIKE = frozenset(
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0458\u0455\u04bb\u0501"
    "\u051b\u051d\u04cf\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421"
    "\u0422\u0425\u0423\u0406\u0408\u0405\u050c\u051c"
    "\u03bf\u03b9\u03b1\u03b3\u03bd\u03c1\u03c5\u0391\u0392\u0395\u0396\u0397"
    "\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
)
_STACKED = 3  # marks on one letter
_WORD = re.compile(r"[^\W\d_]+")
# Printable to Python and yet drawn as nothing: fillers, joiners, variation selectors.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0]")


def shown_name(name: str) -> str:
    """A name as it can be shown beside others; most are shown as they are.

    >>> shown_name("regularized-evolution[population_size=50]")
    'regularized-evolution[population_size=50]'
    >>> shown_name("r" + chr(0x430) + "ndom")[6:]
    ' (letters that look Latin: U+0430)'
    """
    if name.isascii() and name.isprintable():
        return name
    text = printable(_UNSEEN.sub(lambda found: ascii(found[0])[1:-1], _unstacked(name)))
    text = text.replace("\n", "\\n").replace("\t", "\\t")
    words = _WORD.findall(_UNSEEN.sub("", name))
    letters = dict.fromkeys(letter for word in words for letter in _disguised(word))
    if not letters:
        return text
    return f"{text} (letters that look Latin: {', '.join(f'U+{ord(one):04X}' for one in letters)})"


def _unstacked(name: str) -> str:
    """The name with marks escaped that stand higher on each other than in any language."""
    shown, marks = [], 0
    for letter in name:
        marks = marks + 1 if unicodedata.category(letter) in ("Mn", "Me") else 0
        shown.append(letter if marks <= _STACKED else ascii(letter)[1:-1])
    return "".join(shown)


def _disguised(word: str) -> list[str]:
    """The letters of a word that are drawn as Latin ones, if it is to be taken for a Latin word."""
    forms = [letter for letter in word if unicodedata.normalize("NFKC", letter) != letter]
    alike = [letter for letter in word if letter in _ALIKE]
    others = [letter for letter in word if letter not in _ALIKE]
    latin = any(unicodedata.name(letter, "").startswith("LATIN") for letter in others)
    return forms + (alike if alike and (latin or not others) else [])
