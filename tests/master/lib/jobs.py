"""Runs cases side by side, each in a process of its own that cleans up after itself whatever ends
it; prints what each says when it has ended, and the closing line."""
import os
import signal
import subprocess
import sys
import threading

import process

PASSED, FAILED, SKIPPED = 0, 1, 77
INTERRUPTED_SEC, POLL_SEC = 30, 0.05


def tie_to_parent():
    """In a case: a SIGTERM, or the runner's death, becomes an exit that cleans up."""
    def leave(*_):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.exit(FAILED)

    signal.signal(signal.SIGTERM, leave)
    process.libc.prctl(process.PR_SET_PDEATHSIG, signal.SIGTERM)


class Jobs:
    def __init__(self, jobs):
        self.slots = threading.Semaphore(jobs)
        self.lock = threading.Lock()
        self.counts = {PASSED: 0, FAILED: 0, SKIPPED: 0}
        self.running = set()
        self.interrupted = threading.Event()

    def one(self, argv):
        try:
            with self.lock:
                if self.interrupted.is_set():
                    return
                child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT, start_new_session=True)
                self.running.add(child)
            output = child.communicate()[0].decode(errors='replace')
            with self.lock:
                self.running.discard(child)
                code = child.returncode if child.returncode in self.counts else FAILED
                self.counts[code] += 1
                print(output, end='', flush=True)
        finally:
            self.slots.release()

    def stop(self):
        with self.lock:
            for child in self.running:
                child.terminate()

    def run(self, cases):
        # No exception out of a join: an interrupted one takes the thread for ended.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.interrupted.set())
        threads, waiting = [], list(cases)
        while (waiting or any(t.is_alive() for t in threads)) and not self.interrupted.wait(POLL_SEC):
            while waiting and self.slots.acquire(blocking=False):
                threads.append(threading.Thread(target=self.one, args=(waiting.pop(0),)))
                threads[-1].start()
        if self.interrupted.is_set():
            self.stop()
            for thread in threads:
                thread.join(INTERRUPTED_SEC)
            print('interrupted')
            return 1
        print(f'{self.counts[PASSED]} passed, {self.counts[FAILED]} failed, '
              f'{self.counts[SKIPPED]} skipped')
        return 1 if self.counts[FAILED] or not self.counts[PASSED] + self.counts[SKIPPED] else 0


def default_jobs():
    return max(2, 2 * (os.cpu_count() or 1))
