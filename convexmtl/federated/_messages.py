"""Messages between parties as plain bytes: words and arrays of numbers and strings, and nothing that runs.

A message is ``MAGIC``, the length of its head, a checksum of all that follows, the head in JSON, and the entries of the
arrays one after the other. What a head promises must be there to the last byte before anything is made of it, so that a
small message never asks for much memory.
"""

import json
import struct
from math import prod
from zlib import crc32

import numpy as np

from .._version import __version__
from .._words import listed
from ..statistics import _plain_labels

MAGIC = b"\x93CONVEXMTL\n"
FORMAT = 1
FIXED = struct.Struct("<II")  # length of the head, checksum
KINDS = "fiubUMm"  # of arrays


def packed(kind, arrays, **words):
    """Bytes of words that JSON has, and arrays {name: ndarray}."""
    body, entries = [], []
    for name, array in arrays.items():
        array = _plain_labels(np.asarray(array))
        array = array.astype(str) if array.dtype.kind not in KINDS else array
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        entries.append([name, array.dtype.str, list(array.shape)])
        body.append(array.tobytes())
    head = dict(format=FORMAT, version=__version__, kind=kind, words=words, arrays=entries)
    rest = b"".join([json.dumps(head).encode(), *body])
    return MAGIC + FIXED.pack(len(rest) - sum(map(len, body)), crc32(rest)) + rest


def unpacked(message, *kinds):
    """(kind, words, arrays) of a message of one of these kinds.

    Raises
    ------
    TypeError
        For anything but bytes.
    ValueError
        For bytes that are no such message, with what is wrong about them.
    """
    if not isinstance(message, bytes | bytearray | memoryview):
        raise TypeError(
            f"a message must be bytes, got {type(message).__name__}: hand over what came as it came; parties that are "
            "here go into LocalTransport(parties)."
        )
    message = memoryview(message).cast("B")
    start = len(MAGIC) + FIXED.size
    if bytes(message[: len(MAGIC)]) != MAGIC or len(message) < start:
        begin = bytes(message[:16])
        raise ValueError(f"these {len(message)} bytes are no message of convexmtl: they begin with {begin!r}.")
    length, checksum = FIXED.unpack(message[len(MAGIC) : start])
    if crc32(message[start:]) != checksum:
        raise ValueError(
            f"the message of {len(message)} bytes is damaged or cut off: its checksum is another one. Carry messages "
            "as bytes, in binary files for example, and ask for this one again."
        )
    try:
        head = json.loads(bytes(message[start : start + length]))
        made, version, kind, words, entries = (head[k] for k in ("format", "version", "kind", "words", "arrays"))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError("the head of the message cannot be read: convexmtl has not written it.") from error
    if made != FORMAT:
        raise ValueError(
            f"the message has format {made!r}, of convexmtl {version}, and this is {__version__} with format {FORMAT}: "
            "let all parties have the same version."
        )
    if kind not in kinds:
        raise ValueError(f"the message is a {kind!r}, where one of these is expected: {listed(map(repr, kinds))}.")
    try:
        return kind, words, _arrays(message[start + length :], entries)
    except TypeError as error:
        raise ValueError(f"the list of arrays of the message cannot be read: {error}.") from error


def _arrays(body, entries):
    arrays, at = {}, 0
    for name, kind, shape in entries:
        kind = np.dtype(kind)
        if kind.kind not in KINDS or any(type(n) is not int or n < 0 for n in shape):
            raise ValueError(f"the message has an array {name!r} of type {kind} and shape {shape}, which none has.")
        size = prod(shape) * kind.itemsize
        if at + size > len(body):
            raise ValueError(f"the message says that its array {name!r} has shape {shape}, and ends before.")
        array = np.frombuffer(body[at : at + size], dtype=kind) if size else np.empty(0, dtype=kind)
        arrays[name] = array.reshape(shape).astype(kind.newbyteorder("="))
        at += size
    if at != len(body):
        raise ValueError(f"the message has {len(body) - at} bytes more than its arrays.")
    return arrays


def taken(arrays, name, shape, kind="f", infinite=False):
    """The array of that name, which must have this shape (None: any length) and be of finite numbers, or infinite ones.

    Raises
    ------
    ValueError
        Where it is not.
    """
    if name not in arrays:
        raise ValueError(f"the message has no array {name!r}.")
    array = arrays[name]
    if array.ndim != len(shape) or any(n is not None and n != m for n, m in zip(shape, array.shape, strict=True)):
        wanted = f"({', '.join('any' if n is None else str(n) for n in shape)})"
        raise ValueError(f"the array {name!r} of the message must have shape {wanted}, got {array.shape}.")
    if array.dtype.kind not in kind:
        raise ValueError(f"the array {name!r} of the message must be of type {kind!r}, got {array.dtype}.")
    if array.dtype.kind == "f":
        bad = np.isnan(array) if infinite else ~np.isfinite(array)
        if bad.any():
            raise ValueError(f"the array {name!r} of the message holds {array[bad][0]}, which no sum is.")
    return array
