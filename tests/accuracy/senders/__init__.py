"""Habits of senders of RTP, by rule: what each family of streams in simulate.py does."""
from . import audio, calls, traps, unseen, video  # noqa: F401: each fills the table of families
from .base import FAMILIES, Draw

__all__ = ["FAMILIES", "Draw"]
