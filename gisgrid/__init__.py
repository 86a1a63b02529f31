"""Domain core of gisgrid: pure, typed functions on arrays and GeoDataFrames."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("gisgrid")
except PackageNotFoundError:  # run from a bare checkout
    __version__ = "0"
