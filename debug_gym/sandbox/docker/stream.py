"""The runtime's stdin and stdout, as the daemon passes them on: one socket, its replies in frames."""

import socket
import struct

from debug_gym.sandbox.channel import SocketChannel

HEADER = struct.Struct(">BxxxL")
"""Before each piece of output: the stream's number, three zeros, how many bytes follow."""


class AttachedChannel(SocketChannel):
    """A channel over the socket of ``POST /containers/{id}/attach``.

    See https://docs.docker.com/reference/api/engine/ for the format of a stream that is no terminal's.
    """

    def __init__(self, attached: socket.socket) -> None:
        super().__init__(attached)
        self._left = 0
        """Bytes of the frame that is being read."""

    def receive(self, limit: int, deadline: float) -> bytes:
        """See ``Channel.receive``."""
        while not self._left:
            header = b""
            while len(header) < HEADER.size:
                part = super().receive(HEADER.size - len(header), deadline)
                if not part:
                    return b""
                header += part
            self._left = HEADER.unpack(header)[1]
        data = super().receive(min(limit, self._left), deadline)
        self._left -= len(data)
        return data

    def _shut(self) -> None:
        """Only this direction: the daemon then ends the container's stdin, at which the runtime ends."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            return
