"""rustqa answers questions about news articles with words cut verbatim from them."""

__version__ = "0.1.0"
