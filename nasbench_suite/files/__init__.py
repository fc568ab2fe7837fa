"""What is written and read: whole files, journals, restricted unpickling, tables."""
