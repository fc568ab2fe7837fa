"""What is read of results: leaderboards as tables, anytime curves as figures.

Nothing here runs a search; everything is read from a results file through
``nasbench_suite.analysis``.
"""
