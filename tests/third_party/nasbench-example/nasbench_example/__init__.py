"""Parts of many kinds, for nasbench: each a file here and a line in pyproject.toml."""
