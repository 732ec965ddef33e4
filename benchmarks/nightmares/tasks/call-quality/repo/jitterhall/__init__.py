"""The receiving end of a low-latency audio link over UDP."""

from .packets import MAGIC, Packet, PacketError
from .playout import PlayoutBuffer
from .receiver import Receiver
from .sequence import SequenceTracker
from .stats import ReceiverStats
from .summary import summary

__all__ = [
    "MAGIC",
    "Packet",
    "PacketError",
    "PlayoutBuffer",
    "Receiver",
    "ReceiverStats",
    "SequenceTracker",
    "summary",
]
