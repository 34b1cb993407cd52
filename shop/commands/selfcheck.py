"""`flask selfcheck`"""

from __future__ import annotations

import json
import sys

import click
from flask.cli import with_appcontext

from kernel.web.i18n import say
from kernel.web.work import services
from shop.selfcheck import run_all


@click.command("selfcheck")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@with_appcontext
def command(as_json: bool) -> None:
    """Look at every invariant; exit 0 only if nothing differs."""
    with services().database.snapshot() as session:
        results = run_all(session)
    if as_json:
        click.echo(json.dumps({"checks": [each.plain() for each in results]}, ensure_ascii=False))
    else:
        for each in results:
            mark = "ok " if not each.differences else "NO "
            click.echo(f"{mark} {each.name:32} {each.rows:9} rows {each.differences:6} differences")
            for example in each.examples:
                click.echo(f"      {example.subject}: {say(example.sentence)}")
    if any(each.differences for each in results):
        sys.exit(1)
