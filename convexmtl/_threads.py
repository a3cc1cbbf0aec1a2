"""How many threads BLAS has while something is fitted: one, but for products that are large enough to gain by more.

A product whose threads wait for each other waits for whatever else runs on the machine: beside one busy process most of
what a fit does takes several times as long with two threads as with one, and where nothing else runs little less.
"""

import os
import threading
from contextlib import contextmanager
from functools import cache

import scipy.linalg  # noqa: F401  (comes with a BLAS of its own, which is to be there when the pools are looked for)
from threadpoolctl import ThreadpoolController

LARGE_PRODUCT = 1e9  # multiplications of a Gram matrix from which on threads pay, on a busy machine as well


@cache
def _pools():
    """What sets the threads of numpy's and of scipy's BLAS; looking for them takes longer than many a fit.

    Both are loaded with this module. What is loaded later is somebody else's, and no fit calls it.
    """
    return ThreadpoolController().select(user_api="blas").lib_controllers


class _Setting:
    """What the fits that are under way want of BLAS, whose setting is mostly one for the whole process.

    Fits in several threads come and go at different times: the first one notes what the user has set, the last one puts
    it back, and only a fit that is alone may have more than one thread.
    """

    def __init__(self):
        self.lock, self.thread = threading.Lock(), threading.local()
        self.fitting = self.strict = self.large = 0
        self.users = self.now = []

    def change(self, fitting=0, strict=0, large=0):
        """So many threads of the process more that fit something, folds that want one thread, large products."""
        with self.lock:
            if self.fitting == 0:
                self.users = self.now = [pool.num_threads for pool in _pools()]
            self.fitting += fitting
            self.strict += strict
            self.large += large
            one = self.fitting > 1 or self.strict > 0 or (self.fitting == 1 and self.large == 0)
            wanted = []
            for pool, users, now in zip(_pools(), self.users, self.now, strict=True):
                # (With OpenMP every thread has a setting of its own, to be put back when this one is done.)
                own = getattr(pool, "threading_layer", None) == "openmp"
                wanted.append(1 if one and not (own and fitting < 0) else users)
                # (None is one that cannot be set.)
                if users is not None and (own or wanted[-1] != now):
                    _set(pool, wanted[-1])
            self.now = wanted


def _set(pool, n_threads):
    """As threadpoolctl does it, but whichever thread has done so before."""
    disown = getattr(pool, "clear_controlling_thread", None)
    if disown is not None:
        disown(force=True)
    pool.set_num_threads(n_threads)
    if disown is not None:
        disown(force=True)


_setting = _Setting()
if hasattr(os, "register_at_fork"):
    # A process must not begin with a lock that is held by a thread which it does not have.
    _lock = _setting.lock
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


@contextmanager
def one_thread():
    """Context of a fit, in which BLAS has one thread; what the user has set comes back with its end.

    Further ones inside cost next to nothing.
    """
    thread = _setting.thread
    if getattr(thread, "fits", False):
        yield
        return
    _setting.change(fitting=1)
    thread.fits = True
    try:
        yield
    finally:
        thread.fits = False
        _setting.change(fitting=-1)


@contextmanager
def same_sums():
    """Context of fits whose sums must not depend on how many there are at a time: one thread for large products too."""
    with one_thread():
        _setting.change(strict=1)
        try:
            yield
        finally:
            _setting.change(strict=-1)


def between(context, asks):
    """The generator ``asks``, whose work between two questions is done within a context; what is outside is not."""
    answer = None
    while True:
        with context():
            try:
                ask = asks.send(answer)
            except StopIteration as done:
                return done.value
        answer = yield ask


@contextmanager
def large_product(n_multiplications):
    """Context of a Gram matrix: where it is large, and the only fit of the process, with the threads that the user has
    set."""
    if n_multiplications < LARGE_PRODUCT or not getattr(_setting.thread, "fits", False):
        yield
        return
    _setting.change(large=1)
    try:
        yield
    finally:
        _setting.change(large=-1)
