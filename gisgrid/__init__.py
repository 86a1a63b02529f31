"""Domain core of gisgrid: pure, typed functions on arrays and GeoDataFrames."""


def __getattr__(name: str) -> str:
    """``__version__``, looked up when it is asked for: looking takes longer than all else a command needs to begin."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("gisgrid")
    except PackageNotFoundError:  # run from a bare checkout
        return "0"
