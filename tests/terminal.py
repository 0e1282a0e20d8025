"""A terminal, as programs see one."""

import asyncio
import fcntl
import os
import pty
import struct
import termios

SHOWN_WITHIN_S = 90.0


class Terminal:
    """A terminal of a size, and all that was written to it."""

    def __init__(self, width: int, height: int) -> None:
        self._ours, self.theirs = pty.openpty()
        self.written = ""
        self.resize(width, height)
        asyncio.get_running_loop().add_reader(self._ours, self._read)

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def _read(self) -> None:
        self.written += os.read(self._ours, 65536).decode("utf-8", "replace")

    async def shows(self, what: str, within: float = SHOWN_WITHIN_S) -> None:
        """Waits until something is written that was not there yet."""
        begun = len(self.written)
        async with asyncio.timeout(within):
            while what not in self.written[begun:]:  # noqa: ASYNC110 - what is waited for is another process's doing
                await asyncio.sleep(0.05)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._ours)
        os.close(self._ours)
        os.close(self.theirs)
