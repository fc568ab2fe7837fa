"""A command."""


def hello(name: str = "reader") -> None:
    """Greet."""
    print(f"Hello, {name}.")
