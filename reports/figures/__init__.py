"""Figures: a function that gives the data, and one that draws them."""
