"""Domain core of gisgrid: pure, typed functions on arrays and GeoDataFrames."""
