"""Stands in for `mongosh --file initiate.js`: the same commands through PyMongo. It reads no JavaScript."""

import argparse

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

NOT_YET_INITIALIZED = 94


def main() -> None:
    parser = argparse.ArgumentParser(prog="mongosh", allow_abbrev=False)
    for flag in ("--host", "--port", "--username", "--password", "--authenticationDatabase", "--file"):
        parser.add_argument(flag, required=True)
    for flag in ("--quiet", "--norc"):
        parser.add_argument(flag, action="store_true")
    given = parser.parse_args()
    client: MongoClient[dict[str, object]] = MongoClient(
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
        print("replica set is up" if client.admin.command("hello")["isWritablePrimary"] else "not yet: no primary")
    except OperationFailure as error:
        print(f"MongoServerError: {(error.details or {}).get('errmsg', error)}")
    except PyMongoError as error:
        print(f"MongoNetworkError: {error}")


if __name__ == "__main__":
    main()
