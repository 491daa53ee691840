"""A master for one test: made, started, and gone at the end however that comes."""
import os
import shutil
import signal
import tempfile

import control
import create
from node import Node

HEALTHY_SEC = 90


class Master:
    def __init__(self, scale, algorithm='ECDSA-P256'):
        self.top = tempfile.mkdtemp(prefix='master-')
        os.chmod(self.top, 0o755)
        self.dir = self.top + '/node'
        self.node = None
        self.scale, self.algorithm = scale, algorithm

    def __enter__(self):
        try:
            create.create(self.dir, self.scale, algorithm=self.algorithm)
            self.node = Node(self.dir)
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self.node

    def start(self):
        control.start(self.node, tied_to=os.getpid())
        if not control.wait_healthy(self.node, HEALTHY_SEC):
            raise RuntimeError('the node does not become healthy: '
                               + '; '.join(control.trouble(self.node)))

    def __exit__(self, *_):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # nothing interrupts the clean-up
        if self.node:
            control.stop(self.node)
        shutil.rmtree(self.top, ignore_errors=True)
