"""/api/v1/circles: who reaches what in how many minutes, as computed for the grids in force and asked on the spot."""
