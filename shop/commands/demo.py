"""`flask demo`"""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from kernel.errors import Refusal
from kernel.web.work import services
from shop.demo.build import build


@click.command("demo")
@click.option("--seed", type=int, default=1, show_default=True, help="Another township.")
@click.option(
    "--scale",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="So many of everything.",
)
@with_appcontext
def command(seed: int, scale: int) -> None:
    """Fill an empty database with the sample township and two years of its life."""
    try:
        build(services(), services().config.data_dir, seed=seed, scale=scale, say=click.echo)
    except Refusal as refusal:
        raise click.ClickException(str(refusal)) from refusal
