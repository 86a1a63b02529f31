"""Pictures, drawn in processes of their own so that nothing else waits behind them."""

from __future__ import annotations

from api.drawing.drawing import Drawing

__all__ = ["Drawing"]
