"""The shipped documents for a scaled master: the same text, with durations divided and ports put in
place of the standard ones. Nothing else is changed."""
import os
import re

from node import STANDARD_PORTS

# Durations by key, with the shortest that is still a fair test on a loaded machine.
FLOORS_SEC = {'every': 0.5, 'timeout': 1, 'for': 0.2, 'within': 5, 'hold': 0.2, 'cooldown': 0.1, 'per': 1,
              'downWithin': 5, 'upWithin': 5, 'valid': 2, 'grace': 0.2, 'own': 0.1, 'boot': 0.1}
UNITS_SEC = {'us': 1e-6, 'ms': 1e-3, 's': 1, 'm': 60, 'h': 3600, 'd': 86400}
DURATION = r'(?:\d+(?:us|ms|s|m|h|d))+'
KEYED = re.compile(r'(?<![\w.-])(' + '|'.join(FLOORS_SEC) + r')(:[ \t]+)(' + DURATION + r')(?![\w])')
PORT = re.compile(r'(?<=[:\s])(' + '|'.join(map(str, STANDARD_PORTS.values())) + r')(?!\w)')


def to_seconds(text):
    return sum(int(n) * UNITS_SEC[u] for n, u in re.findall(r'(\d+)(us|ms|s|m|h|d)', text))


def from_seconds(seconds):
    milliseconds = max(round(seconds * 1000), 1)
    return f'{milliseconds // 1000}s' if milliseconds % 1000 == 0 else f'{milliseconds}ms'


def scale_duration(key, text, scale):
    """Never longer than it was, even where that is below the floor."""
    seconds = to_seconds(text)
    return from_seconds(min(seconds, max(seconds / scale, FLOORS_SEC.get(key, 0.1))))


def without_comment(line):
    """(what counts, the comment)."""
    at = re.search(r'(^|\s)#', line)
    return (line[:at.start()], line[at.start():]) if at else (line, '')


def scale_text(text, scale, ports):
    by_standard = {str(STANDARD_PORTS[name]): str(port) for name, port in ports.items()}

    def line_scaled(line):
        content, comment = without_comment(line)
        content = KEYED.sub(lambda m: m[1] + m[2] + scale_duration(m[1], m[3], scale), content)
        return PORT.sub(lambda m: by_standard[m[1]], content) + comment

    return '\n'.join(map(line_scaled, text.split('\n')))


def tune_text(text, tunings):
    """Sets single values of the document named: (document, key, value), as `for` of a failure."""
    parts = re.split(r'(?m)^(---[ \t]*\n)', text)
    for name, key, value in tunings:
        for i, part in enumerate(parts):
            if re.search(r'(?m)\bname: ' + re.escape(name) + r'(?![\w-])', part.partition('spec:')[0]):
                parts[i] = re.sub(r'(?m)(?<![\w-])(' + re.escape(key) + r':[ \t]+)[^\s,}]+',
                                  lambda m, v=value: m[1] + v, part, count=1)
    return ''.join(parts)


def scale_documents(source, target, scale, ports, tunings=()):
    """Copies source/**/*.yaml into the one folder `target` (as COMPONENT--NAME.yaml), scaled."""
    os.makedirs(target, exist_ok=True)
    for folder, _, names in sorted(os.walk(source)):
        for name in sorted(n for n in names if n.endswith('.yaml')):
            relative = os.path.relpath(os.path.join(folder, name), source)
            with open(os.path.join(folder, name)) as f:
                text = tune_text(f.read(), tunings)
            with open(os.path.join(target, relative.replace('/', '--')), 'w') as f:
                f.write(scale_text(text, scale, ports))
