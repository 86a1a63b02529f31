"""What comes in, is kept, and goes out: files, OSM, PostGIS."""
