"""Adapters to the protocols of other toolkits; none of these is imported here."""
