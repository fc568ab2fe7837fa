"""The embedded benchmark: NAS-Bench-201's cells, really trained, on scikit-learn's digits.

``table.parquet`` is the benchmark; ``network``, ``training`` and ``making`` are how it was made.
"""
