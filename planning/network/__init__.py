"""Streets as a network for walking, cycling and driving."""

from planning.network.build import NODINGS, build_network
from planning.network.model import CLOSED, Network, along_edges, lengths, reverse
from planning.network.modes import MODES, usable_rows

__all__ = ["CLOSED", "MODES", "NODINGS", "Network", "along_edges", "build_network", "lengths", "reverse", "usable_rows"]
