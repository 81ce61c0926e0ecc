"""Stands in for `mongosh --file initiate.js`: the same commands through PyMongo. It reads no JavaScript."""

import argparse
import os
from collections.abc import Mapping
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

NOT_YET_INITIALIZED = 94


def put_users(client: MongoClient[dict[str, Any]], env: Mapping[str, str]) -> None:
    """Make the users and the role, or give them their passwords and privileges."""
    database = env["MONGO_DATABASE"]
    put(client, "User", env["ADMINISTRATOR"], pwd=env["ADMINISTRATOR_PASSWORD"], roles=["root"])
    put(client, "Role", "lookalikeIndex", privileges=index_privileges(database, env.get("CATALOGUES", "")), roles=[])
    put(client, "User", env["MONGO_INDEX_USER"], pwd=env["MONGO_INDEX_PASSWORD"], roles=["lookalikeIndex"])
    roles = [{"role": "readWrite", "db": name} for name in (database, "limits")]
    put(client, "User", env["MONGO_USER"], pwd=env["MONGO_PASSWORD"], roles=roles)


def put(client: MongoClient[dict[str, Any]], kind: str, name: str, **values: Any) -> None:
    """Create or update a user or a role."""
    known = client.admin.command(f"{kind.lower()}sInfo", name)[f"{kind.lower()}s"]
    client.admin.command(f"{'update' if known else 'create'}{kind}", name, **values)


def index_privileges(database: str, catalogues: str) -> list[dict[str, Any]]:
    """Return what the index may do with products and notes of each catalogue."""
    ends = ["", *("_" + name.strip().replace("-", "_") for name in catalogues.split(",") if name.strip())]
    actions = {"products": ["find", "changeStream", "insert", "remove"], "notes": ["find", "insert", "update"]}
    return [
        {"resource": {"db": database, "collection": name + end}, "actions": allowed}
        for end in ends
        for name, allowed in actions.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="mongosh", allow_abbrev=False)
    for flag in ("--host", "--port", "--username", "--password", "--authenticationDatabase", "--file"):
        parser.add_argument(flag, required=True)
    for flag in ("--quiet", "--norc"):
        parser.add_argument(flag, action="store_true")
    given = parser.parse_args()
    client: MongoClient[dict[str, Any]] = MongoClient(
        given.host,
        int(given.port),
        username=given.username,
        password=given.password,
        authSource=given.authenticationDatabase,
        directConnection=True,
        serverSelectionTimeoutMS=2000,
    )
    try:
        try:
            client.admin.command("replSetGetStatus")
        except OperationFailure as error:
            if error.code != NOT_YET_INITIALIZED:
                raise
            client.admin.command({"replSetInitiate": {"_id": "rs0", "members": [{"_id": 0, "host": "mongo:27017"}]}})
        if client.admin.command("hello")["isWritablePrimary"]:
            put_users(client, os.environ)
            print("replica set is up")
        else:
            print("not yet: no primary")
    except OperationFailure as error:
        print(f"MongoServerError: {(error.details or {}).get('errmsg', error)}")
    except PyMongoError as error:
        print(f"MongoNetworkError: {error}")


if __name__ == "__main__":
    main()
