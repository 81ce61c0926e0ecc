"""The server's half of SCRAM-SHA-256 (RFC 5802, RFC 7677), which the stand-in for MongoDB lacks of itself."""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

ITERATIONS = 4096


class Refused(Exception):
    """The user or the password is wrong."""


@dataclass(frozen=True)
class User:
    """What a server keeps of a user: never the password."""

    name: str
    salt: bytes
    stored_key: bytes
    server_key: bytes

    @classmethod
    def make(cls, name: str, password: str) -> "User":
        salt = os.urandom(28)
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        return cls(name, salt, hashlib.sha256(client_key).digest(), hmac.digest(salted, b"Server Key", "sha256"))

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, **{k: getattr(self, k).hex() for k in ("salt", "stored_key", "server_key")}}

    @classmethod
    def from_json(cls, kept: Mapping[str, str]) -> "User":
        return cls(kept["name"], *(bytes.fromhex(kept[k]) for k in ("salt", "stored_key", "server_key")))


class Conversation:
    """One client proving that it knows the password."""

    def __init__(self, users: Mapping[str, User]) -> None:
        self._users = users
        self.name = ""
        self._spoken = b""
        self._nonce = ""

    def first(self, message: bytes) -> bytes:
        """Answer `n,,n=user,r=nonce` with salt and iterations."""
        bare = message.split(b",", 2)[2]
        fields = _fields(bare)
        if fields["n"] not in self._users:
            raise Refused
        self.name = fields["n"]
        self._user = self._users[self.name]
        self._nonce = fields["r"] + secrets.token_urlsafe(18)
        answer = f"r={self._nonce},s={base64.b64encode(self._user.salt).decode()},i={ITERATIONS}".encode()
        self._spoken = bare + b"," + answer
        return answer

    def final(self, message: bytes) -> bytes:
        """Check the proof; answer with the server's own."""
        without_proof, _, proof = message.rpartition(b",p=")
        if _fields(without_proof)["r"] != self._nonce:
            raise Refused
        spoken = self._spoken + b"," + without_proof
        signature = hmac.digest(self._user.stored_key, spoken, "sha256")
        client_key = bytes(a ^ b for a, b in zip(base64.b64decode(proof), signature, strict=True))
        if not hmac.compare_digest(hashlib.sha256(client_key).digest(), self._user.stored_key):
            raise Refused
        return b"v=" + base64.b64encode(hmac.digest(self._user.server_key, spoken, "sha256"))


def _fields(message: bytes) -> dict[str, str]:
    return dict(part.split("=", 1) for part in message.decode().split(","))
