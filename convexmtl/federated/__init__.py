"""Fits to rows that may not be shared: parties tell sums over theirs, as bytes that the user carries.

What this protects, and what it does not, is on the page about federated fits.
"""

from .coordinator import Coordinator, fit
from .party import Party
from .privacy import Privacy
from .transports import DaskTransport, LocalTransport

__all__ = ["Coordinator", "DaskTransport", "LocalTransport", "Party", "Privacy", "fit"]
