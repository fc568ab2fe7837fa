"""What is written and read: restricted unpickling, and what files have in common."""
