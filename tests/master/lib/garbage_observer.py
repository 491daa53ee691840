"""An observer that talks nonsense at its socket (descriptor 3): bytes that are no JSON, answers that
nobody asked for, frames of the largest size."""
import itertools
import os
import socket
import time

FRAMES = [b'\x00\xff\x00garbage', b'{"type": "reading"', b'[]', b'null', b'{}', b'{"' + b'x' * 60000 + b'": 1}',
          b'{"type":"reading","id":18446744073709551615,"verdict":"pass"}',
          b'{"reading":{"probe":"apiserver-livez","verdict":"pass","reason":"none","facts":{}}}']

link = socket.socket(fileno=3)
for frame in itertools.cycle(FRAMES):
    try:
        link.send(frame, socket.MSG_DONTWAIT)
    except BlockingIOError:
        pass
    except OSError:
        os._exit(0)
    time.sleep(0.05)
