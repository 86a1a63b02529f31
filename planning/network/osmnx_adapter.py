"""An OSMnx graph as a network: the same nodes, the same edges, its own lengths.

OSMnx (Boeing 2017, 2025) keeps a directed edge a direction. The two directions of a street become one edge here, so
that a place on it leads both ways; whatever has no counterpart is one-way. Nothing is contracted and nobody is kept
out: which streets a graph holds, and which way they run, OSMnx has decided.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gisgrid.crs import is_metric, to_metric
from gisgrid.errors import BadInput
from gisgrid.hilbert import hilbert_order
from planning.network.assemble import assemble
from planning.network.model import CLOSED, Bool, Float64, Int32, Int64, Network, lengths
from planning.network.modes import MODES, enterable, pace

_END_METRES = 0.01
"""A shape that ends this near to its node ends in it."""


def network_of_osmnx(
    graph: Any, mode: str = "walk", *, both_ways: bool = False, min_component_share: float = 0.01
) -> Network:
    """The network of an OSMnx ``MultiDiGraph``, geographic or projected, simplified or not.

    Costs of walking and cycling are each edge's ``length``, rounded to the cm; of driving its ``travel_time`` (s), else
    ``length`` at its ``speed_kph``, else at the usual speed of its ``highway``, in ms. ``both_ways`` opens every edge
    the other way as well, at the same cost: walkers on a graph that was made for cars. On unsimplified graphs nothing
    is put on bridges, tunnels and motorways; on simplified ones an edge may be a bridge for a part only, so all are
    open. ``edge_street`` is the number of the edge in ``graph.edges``. Raises BadInput for a graph without a CRS, nodes
    without places, or edges without a usable length, and when there are no edges.
    """
    return network_and_nodes(graph, mode, both_ways=both_ways, min_component_share=min_component_share)[0]


def network_and_nodes(
    graph: Any, mode: str = "walk", *, both_ways: bool = False, min_component_share: float = 0.01
) -> tuple[Network, list[Any]]:
    """`network_of_osmnx`, and the graph's node that each node of the network is."""
    if mode not in MODES:
        raise BadInput(f"unknown network mode {mode!r}; give one of {', '.join(MODES)}")
    if not hasattr(graph, "edges") or not graph.is_directed() or not graph.is_multigraph():
        raise BadInput("not an OSMnx graph (a networkx MultiDiGraph); make one with osmnx.graph_from_place or _xml")
    ids = list(graph.nodes)
    if not graph.number_of_edges():
        raise BadInput(f"the graph has {len(ids)} nodes and no street between them")
    row_of = {node: row for row, node in enumerate(ids)}
    ends = [(row_of[u], row_of[v]) for u, v in graph.edges()]
    tail, head = (np.array(column, np.int64) for column in zip(*ends, strict=True))
    facts = pd.DataFrame.from_records([data for _, _, data in graph.edges(data=True)])
    points, shapes, crs = _in_metres(graph, ids, facts, tail, head)
    cost = _costs(facts, mode, [f"{u} → {v}" for u, v in graph.edges()] if _lacking(facts) else None)
    forward_row, backward_row, shapes = _paired(tail, head, shapes, cost)

    order = hilbert_order(points[:, 0], points[:, 1])
    number = np.empty(len(ids), np.int32)
    number[order] = np.arange(len(ids), dtype=np.int32)
    main = np.where(forward_row >= 0, forward_row, backward_row)
    low, high = np.minimum(tail[main], head[main]), np.maximum(tail[main], head[main])
    edge_from, edge_to = number[low], number[high]
    forward = np.where(forward_row >= 0, cost[forward_row], CLOSED).astype(np.int32)
    backward = np.where(backward_row >= 0, cost[backward_row], CLOSED).astype(np.int32)
    if both_ways:
        forward, backward = (
            np.where(one == CLOSED, other, one) for one, other in ((forward, backward), (backward, forward))
        )
    rank = np.lexsort((main, np.maximum(edge_from, edge_to), np.minimum(edge_from, edge_to)))
    coords, offsets = _flat(shapes[rank], points[low[rank]], points[high[rank]])
    network = assemble(
        crs=crs,
        mode=mode,
        x=points[order, 0],
        y=points[order, 1],
        edge_from=edge_from[rank],
        edge_to=edge_to[rank],
        coords=coords,
        offsets=offsets,
        edge_cm=np.rint(lengths(coords, offsets) * 100).astype(np.int32),
        forward=forward[rank],
        backward=backward[rank],
        street=main[rank].astype(np.int32),
        enterable=_enterable(graph, facts)[main[rank]],
        min_component_share=min_component_share,
        stats={"streets": len(facts), "noding": "osmnx", "barriers_closed": 0},
    )
    return network, [ids[row] for row in order]


def _in_metres(
    graph: Any, ids: list[Any], facts: pd.DataFrame, tail: Int64, head: Int64
) -> tuple[Float64, np.ndarray[Any, Any], str]:
    """(places of nodes, shape of every edge from its first node to its last, CRS), in metres."""
    crs = graph.graph.get("crs")
    if crs is None:
        raise BadInput("the graph names no coordinate system; set graph.graph['crs'], for example 'epsg:4326'")
    places = graph.nodes(data=True)
    try:
        points = np.array([(float(data["x"]), float(data["y"])) for _, data in places], np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput("a node of the graph has no x and y; OSMnx gives every node both") from error
    if not np.isfinite(points).all():
        raise BadInput(f"node {ids[int(np.flatnonzero(~np.isfinite(points).all(axis=1))[0])]} has no place on earth")
    shapes: np.ndarray[Any, Any] = shapely.linestrings(np.stack([points[tail], points[head]], axis=1))
    if "geometry" in facts:
        own = facts["geometry"].map(lambda shape: isinstance(shape, shapely.LineString)).to_numpy(bool)
        shapes[own] = facts["geometry"].to_numpy(object)[own]
    frame = gpd.GeoDataFrame(geometry=np.concatenate([shapely.points(points), shapes]), crs=crs)
    metric = frame if is_metric(frame.crs) else to_metric(frame)
    geometry = metric.geometry.to_numpy()
    points = shapely.get_coordinates(geometry[: len(ids)])
    shapes = geometry[len(ids) :]
    # a shape is given from either end
    begin, end = (shapely.get_coordinates(shapely.get_point(shapes, at)) for at in (0, -1))
    wrong = _gap(begin, points[tail]) + _gap(end, points[head]) > _gap(begin, points[head]) + _gap(end, points[tail])
    shapes[wrong] = shapely.reverse(shapes[wrong])
    return points, shapes, str(metric.crs.to_string())


def _gap(one: Float64, other: Float64) -> Float64:
    return np.asarray(np.hypot(one[:, 0] - other[:, 0], one[:, 1] - other[:, 1]), np.float64)


def _lacking(facts: pd.DataFrame) -> bool:
    return bool((~(_numbers(facts, "length") >= 0)).any())


def _costs(facts: pd.DataFrame, mode: str, names: list[str] | None) -> Int32:
    """Cost of every directed edge; ``names`` of them when one has no length."""
    metres = _numbers(facts, "length")
    if names is not None:
        bad = int(np.flatnonzero(~(metres >= 0))[0])
        raise BadInput(
            f"edge {names[bad]} of the graph has no length of 0 m or more; use osmnx.distance.add_edge_lengths"
        )
    if MODES[mode].unit == "cm":
        cost = np.rint(metres * 100)
    else:
        seconds = _numbers(facts, "travel_time")
        kmh = _numbers(facts, "speed_kph")
        kinds = gpd.GeoDataFrame({"highway": [_first(value) for value in facts.get("highway", [None] * len(facts))]})
        usual = np.rint(metres * 100 * pace(kinds, mode))
        with np.errstate(divide="ignore", invalid="ignore"):
            by_speed = np.where(kmh > 0, np.rint(metres * 3600 / kmh), usual)
        cost = np.where(seconds >= 0, np.rint(seconds * 1000), by_speed)
    if cost.max() > np.iinfo(np.int32).max:
        raise BadInput(f"an edge of the graph costs {cost.max():.3g} {MODES[mode].unit}: its length cannot be right")
    return cost.astype(np.int32)


def _numbers(facts: pd.DataFrame, column: str) -> Float64:
    if column not in facts:
        return np.full(len(facts), np.nan)
    values = pd.to_numeric(facts[column], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _paired(
    tail: Int64, head: Int64, shapes: np.ndarray[Any, Any], cost: Int32
) -> tuple[Int64, Int64, np.ndarray[Any, Any]]:
    """Rows of directed edges that are the two directions of one street: (from its lower node, from its higher node,
    its shape from the lower), -1 where a direction is missing.

    Directions of one shape between two nodes go together, the cheapest with the cheapest.
    """
    shapes = shapes.copy()
    up = tail < head
    shapes[~up] = shapely.reverse(shapes[~up])
    loops = np.flatnonzero(tail == head)
    form = shapely.to_wkb(shapes)
    turned = shapely.to_wkb(shapely.reverse(shapes[loops]))
    up[loops] = form[loops] <= turned  # a loop's two directions are told by their shape
    lower = loops[~up[loops]]
    shapes[lower] = shapely.reverse(shapes[lower])
    form[lower] = shapely.to_wkb(shapes[lower])
    frame = pd.DataFrame(
        {
            "low": np.minimum(tail, head),
            "high": np.maximum(tail, head),
            "form": pd.factorize(pd.Series(form, dtype=object))[0],
            "up": up,
            "cost": cost,
            "row": np.arange(len(tail)),
        }
    ).sort_values(["low", "high", "form", "up", "cost", "row"], kind="stable")
    frame["turn"] = frame.groupby(["low", "high", "form", "up"]).cumcount()
    sides = [frame[frame["up"] == side].set_index(["low", "high", "form", "turn"])["row"] for side in (True, False)]
    both = pd.concat(sides, axis=1, keys=["up", "down"]).fillna(-1).astype(np.int64).sort_index()
    forward, backward = both["up"].to_numpy(np.int64), both["down"].to_numpy(np.int64)
    return forward, backward, shapes[np.where(forward >= 0, forward, backward)]


def _flat(shapes: np.ndarray[Any, Any], begin: Float64, end: Float64) -> tuple[Float64, Int64]:
    """Coordinates and offsets of shapes, their ends in their nodes to the last bit where they are there anyway."""
    coords = shapely.get_coordinates(shapes)
    offsets = np.zeros(len(shapes) + 1, np.int64)
    np.cumsum(shapely.get_num_coordinates(shapes), out=offsets[1:])
    for at, node in ((offsets[:-1], begin), (offsets[1:] - 1, end)):
        near = _gap(coords[at], node) <= _END_METRES
        coords[at[near]] = node[near]
    return coords, offsets


def _enterable(graph: Any, facts: pd.DataFrame) -> Bool:
    if graph.graph.get("simplified"):
        return np.ones(len(facts), bool)
    present = [name for name in ("bridge", "tunnel", "highway") if name in facts]
    columns = {name: [_first(value) for value in facts[name]] for name in present}
    return enterable(gpd.GeoDataFrame(columns, index=facts.index))
