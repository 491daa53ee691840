"""The API server as the demo itself sees it: asked for /readyz again and again, by no means of
planeguard's."""
import threading
import time

import control

EVERY_SEC, TIMEOUT_SEC = 0.05, 0.5


class Outside(threading.Thread):
    """`lost` is when it first did not answer 200, `back` when it did again and since then always."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node = node
        self.lost = self.back = None
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(EVERY_SEC):
            good = control.get(self.node, 'apiserver', '/readyz', TIMEOUT_SEC)[0] == 200
            if not good:
                self.lost = self.lost or time.clock_gettime(time.CLOCK_BOOTTIME)
                self.back = None
            elif self.lost and not self.back:
                self.back = time.clock_gettime(time.CLOCK_BOOTTIME)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join(5)
