"""The version of the package; the log's own version is in `writer`."""

__version__ = "0.1.0"
