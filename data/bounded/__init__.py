"""Files of strangers are opened in a child process with little memory, little time and no way out.

A reader of a binary format trusts the numbers it finds: an archive of a few kilobytes may unfold to terabytes, a
footer may promise a row group of any size. What happens then happens to a child: `call` starts it, gives it limits of
the kernel, waits, and turns its end into one line that says what was too much.
"""

from __future__ import annotations

from data.bounded.calling import Limits, call, for_file

__all__ = ["Limits", "call", "for_file"]
