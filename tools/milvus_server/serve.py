"""Becomes a Milvus server: `python serve.py PROGRAMS FOLDER PORT`, with the Python of the environment `var/milvus`.

The package's own start keeps a Python process as the server's parent; a test that kills the server needs only one.
PROGRAMS is where the server's programs are unpacked, 250 MB, once for all servers.
"""

import os
import socket
import sys
from pathlib import Path

import milvus


class ReusedPorts(milvus.MilvusServerConfig):  # type: ignore[misc]
    """Takes the port of a server that was killed a moment ago, instead of the next one."""

    def try_bind_port(self, port: int) -> socket.socket | None:
        """Return a socket on the port; None if it is taken."""
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind(("127.0.0.1", port))
            bound.listen()
        except OSError:
            bound.close()
            return None
        return bound


def main(programs: str, folder: str, port: str) -> None:
    """Write the configuration, and replace this process by the server."""
    milvus._initialize_data_files(programs)
    server = milvus.MilvusServer(ReusedPorts())
    server.set_base_dir(str(Path(folder).resolve()))
    server.listen_port = int(port)
    server.config.resolve()
    metrics_port, reserved = server.config.resolve_port(9091)
    reserved.close()
    bin_folder = Path(programs).resolve() / "bin"
    environment = {
        **os.environ,
        "DEPLOY_MODE": "STANDALONE",
        "METRICS_PORT": str(metrics_port),
        "MILVUS_RUN_DIR": str(Path(folder).resolve() / "run"),
        "LD_LIBRARY_PATH": f"{bin_folder}:{os.environ.get('LD_LIBRARY_PATH', '')}",
    }
    os.chdir(folder)
    os.execve(bin_folder / "milvus", ["milvus", "run", "standalone"], environment)  # noqa: S606 - of the package


if __name__ == "__main__":
    main(*sys.argv[1:])
