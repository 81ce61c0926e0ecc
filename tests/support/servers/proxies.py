"""nginx and Caddy with the examples of deploy/proxy, in front of a gateway."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.servers.stack import ROOT
from tests.support.waiting import WITHIN_S, eventually
from tests.support.web.ports import free_ports

EXAMPLES = ROOT / "deploy" / "proxy"


@dataclass(frozen=True)
class Proxy:
    """A running proxy: its public address, and the certificate that clients trust."""

    url: str
    plain_url: str
    certificate: Path


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of its own for 127.0.0.1; return it and its key."""
    pem, key = folder / "shop.pem", folder / "shop.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=shop.example"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(pem)]
    subprocess.run(command, check=True, capture_output=True)
    return pem, key


def _changed(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def _nginx(folder: Path, gateway: str, tls: int, plain: int) -> list[str]:
    pem, key = certificate(folder)
    changes = {
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "    listen [::]:80;\n": "",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{tls} ssl http2;",
        "    listen [::]:443 ssl http2;\n": "",
        "127.0.0.1:8000": gateway,
        "/etc/ssl/shop.example.pem": str(pem),
        "/etc/ssl/shop.example.key": str(key),
        "Host $host;": "Host $http_host;",  # the test's port is not 443
    }
    site = _changed((EXAMPLES / "nginx.conf").read_text(), changes)
    names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{name}_temp_path {folder}/{name};" for name in names)
    user = "user root; " if os.getuid() == 0 else ""  # of the temporary folder
    head = f"{user}daemon off; pid {folder}/nginx.pid; error_log stderr; events {{}}"
    main = f"{head}\nhttp {{ access_log off; {places}\n{site}}}\n"
    (folder / "nginx.conf").write_text(main)
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]


def _caddy(folder: Path, gateway: str, tls: int, plain: int) -> list[str]:
    pem, key = certificate(folder)
    changes = {
        "shop.example {\n": f"https://127.0.0.1:{tls} {{\n\tbind 127.0.0.1\n\ttls {pem} {key}\n",
        "127.0.0.1:8000": gateway,
    }
    site = _changed((EXAMPLES / "Caddyfile").read_text(), changes)
    options = f"admin off\n\thttp_port {plain}\n\thttps_port {tls}\n\tdefault_bind 127.0.0.1"
    (folder / "Caddyfile").write_text(f"{{\n\t{options}\n}}\n{site}")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


PROXIES: dict[str, Callable[[Path, str, int, int], list[str]]] = {"nginx": _nginx, "caddy": _caddy}


def is_installed(name: str) -> bool:
    return shutil.which(name) is not None


@contextmanager
def running_proxy(name: str, folder: Path, gateway_url: str) -> Iterator[Proxy]:
    """Run a proxy in front of a gateway for as long as the block lasts."""
    tls, plain = free_ports(2)
    command = PROXIES[name](folder, gateway_url.removeprefix("http://"), tls, plain)
    home = {"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=home)
    proxy = Proxy(f"https://127.0.0.1:{tls}", f"http://127.0.0.1:{plain}", folder / "shop.pem")
    try:
        eventually(lambda: process.poll() is not None or _answers(proxy))
        assert process.poll() is None, (folder / "log").read_text()
        yield proxy
    finally:
        process.terminate()
        process.wait(WITHIN_S)


def _answers(proxy: Proxy) -> bool:
    try:
        return httpx.get(proxy.url + "/", verify=str(proxy.certificate), trust_env=False).status_code > 0
    except httpx.TransportError:
        return False
