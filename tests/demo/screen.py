"""What the demo says: short lines, a colour a word, one moving line at the end. Plain lines where
standard output is no terminal or NO_COLOR is set."""
import os
import re
import sys
import textwrap
import threading
import time

WIDTH = 96
TEXT_COLUMN = 22
COLOURS = {'bold': '1', 'dim': '2', 'red': '31', 'green': '32', 'yellow': '33', 'blue': '34',
           'magenta': '35', 'cyan': '36'}
WORDS = {'broken': 'red', 'mended': 'green', 'seen': 'cyan', 'incident': 'cyan', 'confirmed': 'cyan',
         'person': 'yellow', 'held': 'yellow', 'planned': 'blue', 'allowed': 'blue', 'step': 'magenta',
         'phase': 'magenta', 'done': 'magenta', 'answers': 'green', 'proven': 'green',
         'resolved': 'green', 'ready': 'green', 'same': 'green', 'differs': 'red'}
WHEEL = '|/-\\'


class Screen:
    def __init__(self):
        self.is_lively = sys.stdout.isatty() and 'NO_COLOR' not in os.environ \
            and os.environ.get('TERM') != 'dumb'
        self.is_moving = False
        self.lock = threading.Lock()
        self.turn = 0

    def coloured(self, text, colour):
        return f'\033[{COLOURS[colour]}m{text}\033[0m' if self.is_lively and colour else text

    def line(self, text='', colour=None):
        with self.lock:
            self.clear_moving()
            print(self.coloured(text, colour) if text else '', flush=True)

    def heading(self, text, right=''):
        self.line()
        rule = '-' * (WIDTH - len(text) - len(right) - (5 if right else 4))
        self.line(f'-- {text} {rule}{f" {right}" if right else ""}', 'bold')

    def event(self, seconds, word, text, label=None):
        """Seconds None: its time is not counted. Longer texts go on below their beginning."""
        at = f'{seconds:6.1f} s' if seconds is not None else '       .'
        first, *rest = textwrap.wrap(text, WIDTH - TEXT_COLUMN, break_on_hyphens=False) or ['']
        self.line(f'{at}  {self.coloured(f"{label or word:<10}", WORDS.get(word))}  {first}')
        for text in rest:
            self.line(' ' * TEXT_COLUMN + text)

    def more(self, text, colour=None):
        self.line(' ' * TEXT_COLUMN + text, colour)

    def block(self, text, indent=2):
        for line in text.rstrip('\n').splitlines():
            for part in textwrap.wrap(line, WIDTH + 4 - indent, subsequent_indent='    ', break_on_hyphens=False,
                                      break_long_words=False, replace_whitespace=False) or ['']:
                self.line(' ' * indent + part)

    def diff(self, text, indent=2):
        """Text with unified diffs in it."""
        for line in text.rstrip('\n').splitlines():
            mark = re.match(r' {7}([-+])', line)
            self.line(' ' * indent + line, {'+': 'green', '-': 'red'}[mark[1]] if mark else None)

    # ---- the moving line ----

    def show(self, text, seconds=None):
        if not self.is_lively:
            return
        with self.lock:
            self.turn += 1
            at = f'{seconds:6.1f} s' if seconds is not None else ' ' * 8
            print(f'\r\033[K{at}  \033[2m{WHEEL[self.turn % 4]} {text[:WIDTH - 14]}\033[0m', end='',
                  flush=True)
            self.is_moving = True

    def clear_moving(self):
        if self.is_moving:
            print('\r\033[K', end='', flush=True)
            self.is_moving = False

    def clear(self):
        with self.lock:
            self.clear_moving()

    def wait(self, condition, seconds, text):
        """As process.wait_until, with the time it takes."""
        begun = time.monotonic()
        while True:
            value = condition()
            if value or time.monotonic() - begun >= seconds:
                self.clear()
                return value
            self.show(text, time.monotonic() - begun)
            time.sleep(0.1)
