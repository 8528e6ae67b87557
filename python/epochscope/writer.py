"""The log: one file, one line a record, each line written at once."""

import atexit
import os
import re
import socket
import sys
import threading
import time
import weakref

from . import encode, ranks
from .guard import Troubles
from .records import Records

SUFFIX = ".scope.jsonl"
#: The version of the log's format.
FORMAT = 1


class Log(Records):
    """Writes `PATH/NAME.scope.jsonl`, or `PATH` itself if that ends in `.scope.jsonl`.

    A file that is there already is continued: a further `run` record says so with a higher `segment`; with
    `overwrite=True` it is replaced.

    Parameters of the run: `name` (default: the folder's), `config` (hyper-parameters, may be nested), `classes` (names,
    `group:name` makes groups), `steps_total`, `epochs_total`, `steps_per_epoch`, `task`, `framework`, `goal`
    (`{"metric": "acc", "mode": "max"}`), `tags`, `id`, `git`.

    `digits`: significant digits of numbers in lists. `ranks`: 0 (only that rank writes) or `"all"` (a file per rank).
    `clock`: what gives the time, seconds since 1970.

    Only a wrong argument here raises. Later nothing does: failures are warned of once and counted in the log. A forked
    child (a worker of a DataLoader) inherits the log and writes nothing.
    """

    def __init__(self, path, name=None, config=None, classes=None, steps_total=None, epochs_total=None,
                 steps_per_epoch=None, task=None, framework=None, goal=None, tags=None, id=None, git=None, *,
                 digits=6, ranks=0, overwrite=False, clock=time.time):
        path = os.fspath(path)
        if not 1 <= int(digits) <= 17:
            raise ValueError(f"digits must lie between 1 and 17, not {digits}")
        if ranks != "all" and not isinstance(ranks, int):
            raise ValueError(f'ranks must be the number of a rank or "all", not {ranks!r}')
        self.digits, self.clock = int(digits), clock
        self.troubles = Troubles(self._tell)
        self._lock = threading.RLock()
        self._fd, self._pid, self._torn, self._finished = None, os.getpid(), False, False
        self._tasks, self._src = {}, None
        rank = _rank()
        self.path = _path(path, name, rank if ranks == "all" else 0)
        self.active = ranks == "all" or rank == ranks
        if ranks == "all":
            self._src = f"rank{rank}"
        if not self.active:
            return
        os.makedirs(os.path.dirname(os.path.abspath(self.path)), exist_ok=True)
        segment, whole = (0, True) if overwrite else _before(self.path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | (os.O_TRUNC if overwrite else 0)
        self._fd = os.open(self.path, flags, 0o666)
        self._torn = not whole
        self.record("run", epochscope=FORMAT, name=name or _stem(self.path), id=id, segment=segment, started=clock(),
                    task=task or ("classification" if classes is not None else None),
                    framework=framework or _framework(), git=git, host=_host(), tags=tags, goal=goal,
                    steps_total=steps_total, epochs_total=epochs_total, steps_per_epoch=steps_per_epoch)
        if config:
            self.log_config(config)
        if classes is not None:
            self.log_classes(classes)
        atexit.register(_at_exit, weakref.ref(self))

    def record(self, t, **fields):
        """Writes a record of any type as it is; keys that are None are left out. True if it was written."""
        if self._fd is None or os.getpid() != self._pid:
            return False
        try:
            if self._src is not None and t != "run":
                fields.setdefault("src", self._src)
            record = {"t": t, **{k: v for k, v in fields.items() if v is not None}}
            if "epochscope" in record:
                record = {"epochscope": record.pop("epochscope"), **record}
            # times and steps keep all of their digits
            exact = {k: record[k] for k in ("wall", "started") if k in record}
            record = encode.plain(record, self.digits)
            record.update({k: round(float(v), 3) for k, v in exact.items()})
            self._write(encode.line(record))
            return True
        except Exception as error:
            self.troubles.add(f"record {t}", error)
            return False

    def _write(self, line):
        """One `write` of the whole line to a file that is opened for appending, so that lines never mix."""
        with self._lock:
            if self._fd is None:
                return
            if self._torn:  # closes the piece that a crash or a full disk left
                line = b"\n" + line
            done = 0
            while done < len(line):
                done += os.write(self._fd, line[done:])
                self._torn = done < len(line)

    def _tell(self, text):
        self.record("event", wall=self.clock(), kind="logging-failed", v=text)

    def finish(self, status="finished"):
        """Says that the run is over (`finished`, `failed`, or any word) and closes the file. Later calls do nothing."""
        if self._finished or os.getpid() != self._pid:
            return
        self._finished = True
        if self.troubles.total > len(self.troubles.counts):  # each kind was told once already
            self._tell(f"{self.troubles.total} failures in all: {self.troubles.counts}"[:2000])
        self.record("event", wall=self.clock(), kind="end", status=str(status))
        with self._lock:
            fd, self._fd = self._fd, None
        try:
            if fd is not None:
                os.close(fd)
        except OSError as error:
            self.troubles.add("close", error)

    @property
    def closed(self):
        """Whether nothing is written any more: the run is over, or this is not the process that writes."""
        return self._fd is None or os.getpid() != self._pid

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        interrupted = kind is not None and issubclass(kind, KeyboardInterrupt)
        self.finish("interrupted" if interrupted else "finished" if kind is None else "failed")
        return False


def _rank():
    return ranks.rank()


def _path(path, name, rank):
    if path.endswith(SUFFIX):
        stem = path[: -len(SUFFIX)]
    else:
        stem = os.path.join(path, _file_name(name or os.path.basename(os.path.abspath(path)) or "run"))
    return stem + (f".rank{rank}" if rank else "") + SUFFIX


def _file_name(name):
    return re.sub(r"[^\w.+=@-]+", "-", str(name)).strip(".-") or "run"


def _stem(path):
    return os.path.basename(path)[: -len(SUFFIX)]


def _before(path):
    """The segment that follows what is in the file, and whether its last line is whole."""
    try:
        with open(path, "rb") as file:
            runs, last = 0, b"\n"
            for last in file:
                runs += b'"t":"run"' in last[:200]
            return runs, last.endswith(b"\n")
    except FileNotFoundError:
        return 0, True


def _framework():
    for name in ("torch", "tensorflow", "jax", "keras"):
        version = getattr(sys.modules.get(name), "__version__", None)
        if version:
            return f"{name} {version}"
    return None


def _host():
    try:
        return socket.gethostname() or None
    except OSError:
        return None


def _at_exit(reference):
    """A script that ends without a word: it failed if its last exception was caught by nobody."""
    log = reference()
    if log is not None:
        log.finish("failed" if getattr(sys, "last_value", None) is not None else "finished")
