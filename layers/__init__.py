"""Maps for machines and people: layer list, styles, GeoJSON pages."""
