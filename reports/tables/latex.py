"""LaTeX: text in which nothing is LaTeX's, and tables that are no wider than their column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from reports.tables.text import AT_OPTIMUM, EQUIVALENT

NEEDED = r"% needs \usepackage{booktabs,graphicx}"
# What is wider than the column is made as wide; what is not, is left alone.
_FITTED = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
_MINUS = re.compile(r"(?<![\w.)-])-(?=\.?\d)")  # of a number, and no hyphen or range
_GREEK = re.compile(r"GREEK (SMALL|CAPITAL) LETTER (\w+)")
_CAPITALS = {
    "gamma",
    "delta",
    "theta",
    "lambda",
    "xi",
    "pi",
    "sigma",
    "upsilon",
    "phi",
    "psi",
    "omega",
}
_LATEX = {
    **{character: "\\" + character for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    EQUIVALENT: r"$\approx$",
    AT_OPTIMUM: r"$\ast$",
    "†": r"$^{\dagger}$",
    "\N{MINUS SIGN}": "$-$",
    "±": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "·": r"$\cdot$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "→": r"$\to$",
    "√": r"$\surd$",
    "∞": r"$\infty$",
    "²": "$^2$",
    "\N{MICRO SIGN}": r"$\mu$",
}


def latex_text(text: str) -> str:
    """Text in which nothing is LaTeX's, with the marks of tables, Greek, and true minus signs."""
    marked = _MINUS.sub("\N{MINUS SIGN}", text)
    return "".join(_LATEX.get(character) or _letter(character) for character in marked)


def _letter(character: str) -> str:
    """A Greek letter by its name, which pdfTeX knows in formulas alone; others as they are."""
    found = _GREEK.fullmatch(unicodedata.name(character, ""))
    if found is None:
        return character
    name = found[2].lower().replace("lamda", "lambda")
    if found[1] == "SMALL":
        return "o" if name == "omicron" else rf"$\{name}$"
    return rf"$\{name.capitalize()}$" if name in _CAPITALS else character


def latex_table(
    caption: str,
    alignment: str,
    head: Iterable[str],
    rows: Iterable[Sequence[str]],
    notes: Iterable[str] = (),
) -> list[str]:
    r"""The lines of a table for ``\usepackage{booktabs,graphicx}``.

    Args:
        caption: plain text.
        alignment: one letter a column, as of a tabular.
        head: headings of the columns, plain text.
        rows: finished LaTeX, one cell a column.
        notes: what stands below, plain text.
    """
    return [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex_text(caption)}}}",
        _FITTED,
        rf"\begin{{tabular}}{{{alignment}}}",
        r"\toprule",
        " & ".join(map(latex_text, head)) + r" \\",
        r"\midrule",
        *(" & ".join(cells) + r" \\" for cells in rows),
        r"\bottomrule",
        r"\end{tabular}}",
        *(line for note in notes for line in ("", rf"{{\footnotesize {latex_text(note)}}}")),
        r"\end{table}",
    ]
