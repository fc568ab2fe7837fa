"""Zero-cost proxies, one file each; what they are is in ``nasbench_suite.proxies``."""
