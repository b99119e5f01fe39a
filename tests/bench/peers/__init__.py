"""Other software that searches with the same encoder weights, measured beside rustqa."""
