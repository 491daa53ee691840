"""The kubelet's file source. Two ways in, as in the real one:

  an event   (a file came, was written, went): only that file is read; its pod is put into
             the store, or the pod that the file last gave is taken out
  a rescan   all files in the order of their names; what they give replaces the store

The store's key is the pod's name, so of two files with the same pod the last wins; and taking the
stray one out takes the pod out, until the next rescan. A file that isn't a pod changes nothing
at the event, and its pod goes at the next rescan.
"""
import hashlib
import json
import os
import time

import yaml

from node import klog

SIZE_MAX = 10 * 1024 * 1024
GRACE_SEC = 30


class NotAPod(Exception):
    pass


class Pod:
    def __init__(self, document, uid, node_name):
        metadata = document['metadata']
        self.uid = uid
        self.name = f"{metadata['name']}-{node_name}"
        self.namespace = metadata.get('namespace') or 'default'
        self.full_name = f'{self.namespace}/{self.name}'
        self.labels = metadata.get('labels') or {}
        self.annotations = {**(metadata.get('annotations') or {}), 'kubernetes.io/config.hash': uid,
                            'kubernetes.io/config.source': 'file'}
        spec = document['spec']
        self.container = spec['containers'][0]
        self.grace = spec.get('terminationGracePeriodSeconds', GRACE_SEC)
        self.volumes = {v['name']: v.get('hostPath') for v in spec.get('volumes') or []}


def check(document):
    if not isinstance(document, dict) or 'kind' not in document:
        raise NotAPod("couldn't parse as pod(Object 'Kind' is missing in "
                      f"'{json.dumps(document, default=str)}'), please check config file")
    metadata, spec = document.get('metadata'), document.get('spec')
    if document['kind'] != 'Pod' or not isinstance(metadata, dict) or not metadata.get('name'):
        raise NotAPod('invalid pod: [metadata.name: Required value]')
    containers = spec.get('containers') if isinstance(spec, dict) else None
    if not containers:
        raise NotAPod('invalid pod: [spec.containers: Required value]')
    for i, c in enumerate(containers):
        for field in ('name', 'image'):
            if not isinstance(c, dict) or not c.get(field):
                raise NotAPod(f'invalid pod: [spec.containers[{i}].{field}: Required value]')


class Source:
    def __init__(self, node, folder, check_sec):
        self.node, self.folder, self.check_sec = node, folder, check_sec
        self.store = {}     # pod's full name -> Pod
        self.gave = {}      # file -> full name
        self.seen = {}      # file -> what tells a change
        self.rescanned = None

    def pods(self):
        return {p.uid: p for p in self.store.values()}

    def look(self):
        """Called often: events since the last call, and the rescan when it is due."""
        files = self.list()
        now = time.monotonic()
        if self.rescanned is None or now - self.rescanned >= self.check_sec:
            self.rescanned, self.seen = now, files
            self.rescan(files)
            return
        before, self.seen = self.seen, files
        for name in sorted(before.keys() - files.keys()):
            self.store.pop(self.gave.pop(name, None), None)
        for name in sorted(files):
            if before.get(name) != files[name]:
                pod = self.read(name)
                if pod:
                    self.store[pod.full_name], self.gave[name] = pod, pod.full_name

    def list(self):
        found = {}
        try:
            for entry in os.scandir(self.node.path(self.folder)):
                if not entry.name.startswith('.') and entry.is_file():
                    s = entry.stat()
                    found[entry.name] = (s.st_ino, s.st_size, s.st_mtime_ns)
        except FileNotFoundError:
            pass
        return found

    def rescan(self, files):
        self.store, self.gave = {}, {}
        for name in sorted(files):
            pod = self.read(name)
            if pod:
                self.store[pod.full_name], self.gave[name] = pod, pod.full_name

    def read(self, name):
        path = f'{self.folder}/{name}'
        try:
            with open(self.node.path(path), 'rb') as f:
                data = f.read(SIZE_MAX + 1)
            try:
                document = yaml.load(data, Loader=yaml.CSafeLoader)
            except yaml.YAMLError as e:
                text = ' '.join(str(e).split())
                raise NotAPod(f"couldn't parse as pod(yaml: {text}), please check config file") from e
            check(document)
            digest = hashlib.md5(json.dumps(document, sort_keys=True, default=str).encode())
            digest.update(f'host:{self.node.name}file:{path}'.encode())
            return Pod(document, digest.hexdigest(), self.node.name)
        except NotAPod as e:
            klog('E', 'file.go:187', f'"Could not process manifest file" err="{path}: {e}" path="{path}"')
        except (OSError, AttributeError, TypeError, KeyError) as e:
            klog('E', 'file.go:187', f'"Could not process manifest file" err="{path}: {e!r}" '
                 f'path="{path}"')
        return None
