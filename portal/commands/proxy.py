"""`flask proxy`: the configuration of the proxy in front of the page processes of a city."""

from pathlib import Path

import click

from portal.operations.proxy.configuration import KINDS, configuration
from portal.operations.proxy.front import Front, Sockets


@click.command("proxy")
@click.argument("kind", type=click.Choice(sorted(KINDS)))
@click.option("--listen", default="0.0.0.0:443", help="address and port")
@click.option("--sockets", default="/run/portal", type=click.Path(path_type=Path), help="folder of the unix sockets")
@click.option(
    "--folder", default="/var/lib/portal-proxy", type=click.Path(path_type=Path), help="folder for temporary files"
)
@click.option("--static", default="/opt/portal/portal/static", type=click.Path(path_type=Path), help="the static files")
@click.option(
    "--certificate", type=click.Path(path_type=Path), help="folder with fullchain.pem and privkey.pem (nginx)"
)
@click.option("--user", default="www-data", help="system user of nginx; the group of the sockets")
@click.option("--workers", default=4, type=click.IntRange(1), help="page processes for families")
@click.option(
    "--proxies", default=0, type=click.IntRange(0), help="proxies before this one, for example a load balancer"
)
def write_proxy(
    kind: str,
    listen: str,
    sockets: Path,
    folder: Path,
    static: Path,
    certificate: Path | None,
    user: str,
    workers: int,
    proxies: int,
) -> None:
    """Write the configuration of nginx or Caddy to standard output.  Static addresses are those of this version."""
    front = Front(
        listen,
        Sockets(sockets),
        folder,
        workers,
        proxies=proxies,
        user=user,
        open_files=16384,
        certificate=certificate,
        static=static,
    )
    try:
        click.echo(configuration(kind, front), nl=False)
    except ValueError as fault:
        raise click.ClickException(str(fault)) from fault


cli = write_proxy
