"""The version, for whoever needs it before the package is there."""

__version__ = "0.1.0"
