"""Stands in for `mongod` if the mongo image cannot be pulled: nx-27017, and what else the Compose file relies on.

That is: the flags the Compose file passes, a key file with the right permissions, an administrator made on the first
start, users with roles (users.py), no command without authentication, and a replica set that is none until it has been
initiated.
"""

import argparse
import asyncio
import logging
import os
import signal
import stat
import sys
from pathlib import Path
from typing import Any

from cursors import draw_numbers, not_found  # type: ignore[import-not-found]  # services/local/mongo/cursors.py
from nx_27017.handler import NeoSQLiteHandler
from nx_27017.server import run_server
from scram import Conversation, Refused  # type: ignore[import-not-found]  # in the same folder
from users import Users  # type: ignore[import-not-found]

OPEN = {"hello", "Hello", "isMaster", "ismaster", "saslStart", "saslContinue", "buildInfo", "buildinfo", "endSessions"}
Reply = dict[str, Any]


def failure(code: int, name: str, text: str) -> Reply:
    return {"ok": 0.0, "code": code, "codeName": name, "errmsg": text}


UNAUTHORIZED = (13, "Unauthorized", "Command requires authentication")
NOT_ALLOWED = (13, "Unauthorized", "not authorized to execute command")
WRONG = (18, "AuthenticationFailed", "Authentication failed.")
NOT_YET = (94, "NotYetInitialized", "no replset config has been received")
ALREADY = (23, "AlreadyInitialized", "already initialized")


class Handler(NeoSQLiteHandler):  # type: ignore[misc]
    """nx-27017's commands behind authentication, and the replica set's two."""

    def __init__(self, data: Path, users: Users) -> None:
        super().__init__(data_dir=str(data / "nx"))
        # Triggers keep its change log. It would remove them when it ends: writes between its next start and the next
        # open stream would be in no stream. MongoDB always keeps its log.
        self._change_stream_manager.invalidate = lambda *_: None
        self._users = users
        self._set = data / "replica-set"
        self._proving: dict[str, Conversation] = {}
        self._known: dict[str, str] = {}  # the user of a connection

    def handle_command(self, msg: Reply) -> tuple[int, Reply]:
        ours = self._ours(_body(msg), msg["_conn_id"])
        return super().handle_command(msg) if ours is None else (msg["request_id"], ours)

    def handle_insert(self, msg: Reply) -> tuple[int, Reply]:
        refusal = self._refusal(_body(msg), msg["_conn_id"])
        if refusal is not None:
            return msg["request_id"], refusal
        return super().handle_insert(msg)  # type: ignore[no-any-return]

    def close_streams_for_connection(self, conn_id: str) -> None:
        self._known.pop(conn_id, None)
        self._proving.pop(conn_id, None)
        super().close_streams_for_connection(conn_id)

    def _ours(self, body: Reply, connection: str) -> Reply | None:
        if "saslStart" in body or "saslContinue" in body:
            return self._prove(body, connection)
        if not OPEN & body.keys() and (refusal := self._refusal(body, connection)) is not None:
            return refusal
        if (answer := self._users.command(body)) is not None:
            return dict(answer)
        if "getMore" in body and not self._has_cursor(int(body["getMore"])):
            return dict(not_found(body["getMore"]))
        if "replSetGetStatus" in body:
            return {"ok": 1.0, "set": "rs0", "myState": 1} if self._set.exists() else failure(*NOT_YET)
        if "replSetInitiate" in body:
            if self._set.exists():
                return failure(*ALREADY)
            self._set.write_text(str(body["replSetInitiate"]))
            return {"ok": 1.0}
        if {"hello", "Hello", "isMaster", "ismaster"} & body.keys():
            return self._hello(body)
        return None

    def _has_cursor(self, number: int) -> bool:
        """Whether a cursor is of this process; nx-27017 has an empty answer for others, where MongoDB has an error."""
        return number in self._cursors or self._change_stream_manager.get_stream(number) is not None

    def _refusal(self, body: Reply, connection: str) -> Reply | None:
        if connection not in self._known:
            return failure(*UNAUTHORIZED)
        return None if self._users.may(self._known[connection], body) else failure(*NOT_ALLOWED)

    def _hello(self, body: Reply) -> Reply:
        _, answer = super().handle_command({"request_id": 0, "sections": [("body", body)], "_conn_id": ""})
        answer["isWritablePrimary"] = answer["ismaster"] = self._set.exists()
        if "saslSupportedMechs" in body:
            answer["saslSupportedMechs"] = ["SCRAM-SHA-256"]
        return dict(answer)

    def _prove(self, body: Reply, connection: str) -> Reply:
        try:
            if "saslStart" in body:
                if body.get("mechanism") != "SCRAM-SHA-256":
                    raise Refused
                self._proving[connection] = Conversation(self._users.secrets())
                said, done = self._proving[connection].first(bytes(body["payload"])), False
            else:
                conversation = self._proving.pop(connection)
                said, done = conversation.final(bytes(body["payload"])), True
        except (Refused, KeyError, ValueError, IndexError):
            return failure(*WRONG)
        if done:
            self._known[connection] = conversation.name
        return {"ok": 1.0, "conversationId": 1, "done": done, "payload": said}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mongod", allow_abbrev=False)
    parser.add_argument("--replSet", required=True)
    parser.add_argument("--keyFile", type=Path, required=True)
    parser.add_argument("--bind_ip_all", action="store_true")
    parser.add_argument("--dbpath", type=Path, default=Path("/data/db"))
    return parser.parse_args()


def check_key(path: Path) -> None:
    """Refuse what mongod refuses: a key that others can read, or that is not 6 to 1024 base64 characters."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        sys.exit(f"mongod: permissions on {path} are too open")
    if not 6 <= len(path.read_text().strip()) <= 1024:
        sys.exit(f"mongod: the length of the key in {path} is not between 6 and 1024")


def _body(msg: Reply) -> Reply:
    return next((section for kind, section in msg["sections"] if kind == "body"), {})


async def serve(handler: Handler, host: str) -> None:
    server = asyncio.ensure_future(run_server(host, 27017, handler))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, server.cancel)
    try:
        await server
    except asyncio.CancelledError:
        handler.close_all()


def main() -> None:
    options = arguments()
    logging.basicConfig(level=logging.WARNING)
    check_key(options.keyFile)
    users = Users(options.dbpath / "users.json")
    if not users.secrets():  # as the image's entry point does on the first start
        administrator = os.environ["MONGO_INITDB_ROOT_USERNAME"]
        users.command({"createUser": administrator, "pwd": os.environ["MONGO_INITDB_ROOT_PASSWORD"], "roles": ["root"]})
    draw_numbers()
    handler = Handler(options.dbpath, users)
    asyncio.run(serve(handler, "0.0.0.0" if options.bind_ip_all else "127.0.0.1"))


if __name__ == "__main__":
    main()
