"""What sandboxes see of the host: the system's programs, an interpreter and its packages, read-only."""

from __future__ import annotations

import os

from ..server import linux


class Shown:
    """A file or folder of the host that sandboxes see, read-only.

    It is seen through an overlay of the sandbox's own: a lock on an inode of the host's would be seen by
    other sandboxes and by the host. Where an overlay would hide what is mounted below it, or cannot be laid
    over the host's file system, the host's own inodes are shown.

    Args:
        path: on the host.
        mounts: mount points of the host.
    """

    def __init__(self, path: str, mounts: list[str]) -> None:
        self.path = path
        self.link = os.readlink(path) if os.path.islink(path) else ""
        self.is_folder = os.path.isdir(path)
        real = os.path.realpath(path)
        self.folder, self.name = (real, "") if self.is_folder else os.path.split(real)
        self.whole = not any(mount.startswith(real + "/") for mount in mounts)
        """Nothing is mounted below it."""
        self.fd = -1

    def hold(self) -> None:
        """Open it, before a new root hides it."""
        self.fd = os.open(self.folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def show(self, new: str, stage: str, empty: str) -> None:
        """Show it at the same path below the new root, which has an empty folder.

        ``stage``: a folder for what is only mounted on the way, and goes with the old root.
        """
        target, source, empty = new + self.path, "/proc/self/fd/%d" % self.fd, new + empty
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if self.link and "/" not in self.link.lstrip("/").replace("usr/", "", 1):
            os.symlink(self.link, target)  # /bin -> usr/bin and the like
        elif self.is_folder:
            os.makedirs(target, exist_ok=True)
            if not (self.whole and _overlay(source, target, empty)):
                linux.bind_read_only(source, target)
        else:
            os.close(os.open(target, os.O_CREAT))
            folder = self._staged(stage, source, empty)
            if folder:
                linux.mount("%s/%s" % (folder, self.name), target, None, linux.MS_BIND)
            else:
                linux.bind_read_only("%s/%s" % (source, self.name), target)
        os.close(self.fd)

    def _staged(self, stage: str, source: str, empty: str) -> str:
        """An overlay of a file's folder, one for all files in it; "" if there can be none."""
        status = os.fstat(self.fd)
        folder = "%s/shown-%d-%d" % (stage, status.st_dev, status.st_ino)
        if not os.path.isdir(folder):
            os.mkdir(folder)
            if not _overlay(source, folder, empty):
                os.rmdir(folder)
                return ""
        return folder


def _overlay(lower: str, target: str, empty: str) -> bool:
    """Lay a read-only overlay of a folder (and nothing) over the target; False if that cannot be done."""
    try:
        flags = linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV
        linux.mount("overlay", target, "overlay", flags, "lowerdir=%s:%s,userxattr" % (lower, empty))
    except OSError:
        return False
    return True


def mount_points() -> list[str]:
    """Of this process's mount namespace."""
    with open("/proc/self/mountinfo") as file:
        return [line.split(" ", 5)[4] for line in file]
