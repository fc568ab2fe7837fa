"""Latency and energy of architectures: measuring, tables and predictors."""
