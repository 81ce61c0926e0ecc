"""Users and roles of the stand-in for MongoDB: the commands that make them, and what a user may do."""

import json
from pathlib import Path
from typing import Any

from scram import User  # type: ignore[import-not-found]  # in the same folder

Document = dict[str, Any]
# The action of a command on a collection. Commands that are not here need root, except `FREE`.
ACTIONS = {
    "find": "find",
    "count": "find",
    "distinct": "find",
    "aggregate": "find",
    "insert": "insert",
    "update": "update",
    "findAndModify": "update",
    "delete": "remove",
    "createIndexes": "createIndex",
    "listIndexes": "listIndexes",
    "drop": "dropCollection",
}
FREE = {"ping", "getMore", "killCursors", "endSessions", "buildInfo", "connectionStatus", "listCollections"}


class Users:
    """The users and roles in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        kept: Document = json.loads(path.read_text()) if path.exists() else {"users": {}, "roles": {}}
        self._users: dict[str, Document] = kept["users"]
        self._roles: dict[str, list[Document]] = kept["roles"]

    def secrets(self) -> dict[str, User]:
        """Return what proves each user's password."""
        return {name: User.from_json(user["secret"]) for name, user in self._users.items()}

    def command(self, body: Document) -> Document | None:
        """Carry out a command about users or roles and return its answer; None if it is another command."""
        if "usersInfo" in body:
            return {"ok": 1.0, "users": [{"user": name} for name in self._users if name == body["usersInfo"]]}
        if "rolesInfo" in body:
            return {"ok": 1.0, "roles": [{"role": name} for name in self._roles if name == body["rolesInfo"]]}
        if name := body.get("createUser") or body.get("updateUser"):
            self._users[name] = {"secret": User.make(name, body["pwd"]).to_json(), "roles": body["roles"]}
        elif name := body.get("createRole") or body.get("updateRole"):
            self._roles[name] = body["privileges"]
        else:
            return None
        self._path.write_text(json.dumps({"users": self._users, "roles": self._roles}, default=dict))
        return {"ok": 1.0}

    def may(self, name: str, body: Document) -> bool:
        """Return whether a user's roles allow a command."""
        return any(self._allows(role, body) for role in self._users[name]["roles"])

    def _allows(self, role: Any, body: Document) -> bool:
        command = next(iter(body))
        if role == "root" or command in FREE:
            return True
        if isinstance(role, dict):
            return role["role"] == "readWrite" and role["db"] == body.get("$db") and command in ACTIONS
        resource = {"db": body.get("$db"), "collection": body[command]}
        return any(
            dict(privilege["resource"]) == resource and ACTIONS.get(command) in privilege["actions"]
            for privilege in self._roles.get(role, [])
        )
