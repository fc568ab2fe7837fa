"""Performance predictors, one file each; what they are is in ``nasbench_suite.predictors``."""
