"""Plans edited over HTTP: the ground they are drawn on, who owns what, edits, problems and their mending."""
