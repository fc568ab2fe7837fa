"""The command line, ``nasbench``: a thin layer over the Python calls."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import TextIOWrapper

_KEPT = "what was finished is kept, the same command goes on"


def main() -> None:
    """Run the command line; bad input is one sentence on standard error and exit code 2."""
    from nasbench_suite.commands.app import build_app
    from nasbench_suite.errors import SuiteError, printable, reason

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # what a terminal cannot show is written as escapes
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            build_app()()
        finally:
            sys.stdout.flush()
    except SuiteError as error:
        print(f"nasbench: {printable(str(error))}", file=sys.stderr)
        sys.exit(2)
    except (OSError, UnicodeError) as error:
        _stop_writing()
        why = getattr(error, "strerror", None) or reason(error)
        name = getattr(error, "filename", None)
        where = f" {name!a}" if name else ""
        print(f"nasbench: Cannot read or write{where} ({why}).", file=sys.stderr)
        sys.exit(2)
    except ImportError as error:
        from nasbench_suite.import_faults import broken_package

        package = broken_package(error)
        if package is None:
            raise
        print(
            f"nasbench: The package {package!r} cannot be imported ({printable(reason(error))}): "
            f"install a version of it that fits the others.",
            file=sys.stderr,
        )
        sys.exit(2)
    except KeyboardInterrupt as interrupt:
        print(_interrupted(interrupt), file=sys.stderr)
        sys.exit(130)
    except SystemExit as ended:
        if ended.code == 130:  # typer's answer to an interrupt, without a word
            print(_interrupted(ended), file=sys.stderr)
        raise


def _interrupted(ended: BaseException | None) -> str:
    """What an interrupt left, as the command says it where it raised it anew."""
    while ended is not None and not isinstance(ended, KeyboardInterrupt):
        ended = ended.__context__
    said = str(ended) if ended is not None and ended.args else _KEPT
    return f"nasbench: interrupted; {said}."


def _stop_writing() -> None:
    """Let nothing be written at the end to what could not be written before."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
