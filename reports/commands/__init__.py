"""The commands of the command line that read results."""
