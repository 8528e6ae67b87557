"""Callbacks of training frameworks. Each module imports its framework; import the one that you use."""
