"""Tables: what is in them, and their form in a terminal, Markdown, LaTeX, CSV and JSON."""
