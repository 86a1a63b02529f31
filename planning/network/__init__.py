"""Streets as a network for walking, cycling and driving."""

from planning.network.build import NODINGS, build_network
from planning.network.model import CLOSED, Network, along_edges, lengths, reverse
from planning.network.modes import MODES, usable_rows
from planning.network.pieces import edges_of, pieces_of
from planning.network.saving import load_network, save_network

__all__ = [
    "CLOSED", "MODES", "NODINGS", "Network", "along_edges", "build_network", "edges_of", "lengths", "load_network",
    "pieces_of", "reverse", "save_network", "usable_rows",
]  # fmt: skip
