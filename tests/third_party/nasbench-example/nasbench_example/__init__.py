"""One part of every kind, for nasbench: each a file here and a line in pyproject.toml."""
