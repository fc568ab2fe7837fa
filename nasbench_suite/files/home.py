"""Where imported benchmarks and images are kept."""

from __future__ import annotations

import os
from pathlib import Path

from nasbench_suite.errors import SuiteError

HOME_VARIABLE = "NASBENCH_HOME"


def home_folder(name: str) -> Path:
    """The folder of that name under ``$NASBENCH_HOME``, or under the user's data folder.

    It need not exist.

    Raises:
        SuiteError: the variable names what is there and is no folder.
    """
    home = os.environ.get(HOME_VARIABLE)
    if home and os.path.lexists(home) and not os.path.isdir(home):
        raise SuiteError(f"{HOME_VARIABLE} is {home!r}, which is no folder: set it to one.")
    if not home:
        from platformdirs import user_data_dir

        home = user_data_dir("nasbench-suite", appauthor=False)
    return Path(home) / name
