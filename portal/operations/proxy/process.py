"""The proxy as a child process of the supervisor: nginx where the machine has it, else the Caddy of the wheel."""

import os
import resource
import shutil
import signal
import sys
from pathlib import Path

from portal.operations.child_processes import Child
from portal.operations.proxy.configuration import configuration
from portal.operations.proxy.front import Front
from portal.operations.start_faults import Fault

MOST_OPEN_FILES = 16384


def find_proxy(environ: dict[str, str]) -> tuple[str, str]:
    """The kind and the path of the program.  `PROXY` chooses between nginx and caddy.  Raises Fault if there is none."""
    wanted = environ.get("PROXY", "")
    if wanted not in ("", "nginx", "caddy"):
        raise Fault(f"PROXY is {wanted}: set it to nginx or caddy, or unset it")
    nginx = shutil.which("nginx", path=f"{environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if nginx and wanted != "caddy":
        return "nginx", nginx
    caddy = shutil.which("caddy", path=f"{Path(sys.executable).parent}:{environ.get('PATH', '')}")
    if caddy and wanted != "nginx":
        return "caddy", caddy
    raise Fault(
        f"no {wanted or 'proxy'} was found: run  make setup  for Caddy, or  sudo apt-get install nginx-light  for nginx"
    )


def open_files() -> int:
    """How many files the proxy may open: each visitor has one or two."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return MOST_OPEN_FILES if most == resource.RLIM_INFINITY else min(MOST_OPEN_FILES, most)


def proxy_child(kind: str, program: str, front: Front, log: Path, environ: dict[str, str]) -> Child:
    """Write the configuration, and describe the process.  The end signal lets it finish what it has begun."""
    front.folder.mkdir(parents=True, exist_ok=True)
    for folder in ("body", "answers", "unused"):
        (front.folder / folder).mkdir(exist_ok=True)
    path = front.folder / ("nginx.conf" if kind == "nginx" else "Caddyfile")
    path.write_text(configuration(kind, front))
    if kind == "nginx":
        command = [program, "-e", "stderr", "-c", str(path)]
        end_signal = signal.SIGQUIT
    else:
        command = [program, "run", "--adapter", "caddyfile", "--config", str(path)]
        end_signal = signal.SIGTERM
    environ = dict(environ, HOME=str(front.folder), XDG_DATA_HOME=str(front.folder), XDG_CONFIG_HOME=str(front.folder))
    files: tuple[int, ...] = ()
    if front.listener is not None:
        files = (front.listener,)
        # how nginx is told of sockets that are open already
        environ["NGINX"] = f"{front.listener};"
    return Child("proxy", command, log=log, end_signal=end_signal, env=environ, files=files)


def system_user() -> str | None:
    """The user of the processes of nginx: they read the files and sockets of the one who starts it."""
    return "root" if os.geteuid() == 0 else None
