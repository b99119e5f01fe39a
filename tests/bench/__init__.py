"""Measurements of rustqa beside other programs, by `make bench` and `make bench-peers`."""
