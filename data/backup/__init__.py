"""Backups: the database, and the files of its jobs, as they were at one moment, in one file; and the way back."""

from __future__ import annotations

from data.backup.archive import Archive, check_target
from data.backup.drill import Drill, drill
from data.backup.put_back import Restored, restore
from data.backup.take import Taken, back_up

__all__ = ["Archive", "Drill", "Restored", "Taken", "back_up", "check_target", "drill", "restore"]
