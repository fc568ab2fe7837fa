"""The command line, ``nasbench``: a thin layer over the Python calls."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; bad input is one sentence on standard error and exit code 2."""
    from nasbench_suite.commands.app import build_app
    from nasbench_suite.errors import SuiteError

    try:
        build_app()()
    except SuiteError as error:
        print(f"nasbench: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(
            "nasbench: interrupted; what was finished is kept, the same command goes on.",
            file=sys.stderr,
        )
        sys.exit(130)
