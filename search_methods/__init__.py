"""Search methods, one file each, written to read like its paper's algorithm box.

A method is a subclass of ``nasbench_suite.tasks.Method`` found by its entry point. Its fields
are the hyper-parameters of its paper, with the paper's values as defaults; what a search has
seen so far is set in ``start``.
"""
