"""The program's secret: what every secret that Farebox itself needs is derived from.

It is a setting, or else a file beside the database that the first process to need it makes. Two
that start together agree: the file gets its name only when it is whole, and the first name stays.
It is in no backup: who restores elsewhere takes it along, or what was derived from it changes.
Nothing derived is ever stored; the same purpose always gives the same bytes, another purpose
others that tell nothing of them.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from farebox.core.errors import STORE_UNAVAILABLE, FareboxError
from farebox.engine.entropy import Entropy
from farebox.engine.paths import secret_path

FILE_SECRET_BYTES = 32
FILE_MODE = 0o600
_SALT = b"farebox"
_FIRST_BLOCK = b"\x01"


class ProgramSecret:
    """Of one process. `configured` is the setting; where it is empty, the database's file counts.

    The file is looked for, and made, at the first `derive`.
    """

    def __init__(self, configured: str, database: Path, entropy: Entropy) -> None:
        self._database = database
        self._entropy = entropy
        self._key = _extract(configured.encode()) if configured else None

    def derive(self, purpose: str) -> bytes:
        """32 bytes for a purpose, by HKDF with SHA-256 (RFC 5869).

        Raises:
            FareboxError: 503, the file can't be read or made.
        """
        if self._key is None:
            self._key = _extract(_from_file(secret_path(self._database), self._entropy))
        return hmac.digest(self._key, purpose.encode() + _FIRST_BLOCK, hashlib.sha256)

    def check(self) -> None:
        """To be called before something is made that can't be told without the secret.

        Raises:
            FareboxError: 503, the file can't be read or made.
        """
        self.derive("")


def _extract(material: bytes) -> bytes:
    return hmac.digest(_SALT, material, hashlib.sha256)


def _from_file(path: Path, entropy: Entropy) -> bytes:
    try:
        try:
            material = path.read_bytes().strip()
        except FileNotFoundError:
            material = _make(path, entropy)
    except OSError as error:
        internal = f"{path} can't be had: {error.strerror}; FAREBOX_SECRET would do instead"
        raise FareboxError(STORE_UNAVAILABLE, internal=internal) from error
    if len(material) < FILE_SECRET_BYTES:
        internal = f"{path} holds no secret of {FILE_SECRET_BYTES} characters or more"
        raise FareboxError(STORE_UNAVAILABLE, internal=internal)
    return material


def _make(path: Path, entropy: Entropy) -> bytes:
    """Make the file, durably; what stands in it, also if another process was first."""
    material = entropy.random_bytes(FILE_SECRET_BYTES).hex().encode()
    draft = path.with_name(f"{path.name}.{os.getpid()}-{entropy.random_bytes(8).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(material + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            # Unlike a rename, this never takes the name from another file.
            os.link(draft, path)
        except FileExistsError:
            material = path.read_bytes().strip()
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return material
