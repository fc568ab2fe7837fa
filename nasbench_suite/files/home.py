"""Where imported benchmarks and images are kept."""

from __future__ import annotations

import os
from pathlib import Path

HOME_VARIABLE = "NASBENCH_HOME"


def home_folder(name: str) -> Path:
    """The folder of that name under ``$NASBENCH_HOME``, or under the user's data folder.

    It need not exist.
    """
    home = os.environ.get(HOME_VARIABLE)
    if not home:
        from platformdirs import user_data_dir

        home = user_data_dir("nasbench-suite", appauthor=False)
    return Path(home) / name
