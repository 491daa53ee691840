"""Mounts of a scenario's own: a mount namespace that goes with its process."""
import ctypes
import os

CLONE_NEWNS, MS_REC, MS_PRIVATE, MNT_DETACH = 0x20000, 0x4000, 0x40000, 2
libc = ctypes.CDLL(None, use_errno=True)


class Unavailable(Exception):
    pass


def own_mounts():
    """What is mounted from here on goes with this process."""
    if libc.unshare(CLONE_NEWNS) != 0 or libc.mount(None, b'/', None, MS_REC | MS_PRIVATE, None) != 0:
        raise Unavailable(f'a disk of its own needs root: {os.strerror(ctypes.get_errno())}')


def mount_tmpfs(path, size):
    if libc.mount(b'tmpfs', path.encode(), b'tmpfs', 0, f'size={size},mode=0755'.encode()) != 0:
        raise Unavailable(f'no tmpfs can be mounted here: {os.strerror(ctypes.get_errno())}')


def unmount(path):
    libc.umount2(path.encode(), MNT_DETACH)
