"""``python -m nasbench_suite``: the command ``nasbench``."""

from nasbench_suite.commands import main

main()
