"""``python -m api.cli`` is ``gisgrid``."""

from api.cli import main

main()
