"""Fuzzing: throws bytes at every entrance and checks that what is promised holds."""
