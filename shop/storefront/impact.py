"""Public figures: the page of this year's money, and the open data behind it."""

from __future__ import annotations

import csv
import io

from flask import Blueprint, Response, jsonify, render_template

from kernel.errors import Missing, Text
from kernel.web.access import public
from kernel.web.keeping import shared
from kernel.web.work import now, services, session, today
from shop.storefront import queries
from shop.storefront.open_data import DATA_SETS, LICENCE, LICENCE_ADDRESS, descriptor
from shop.storefront.picture import picture
from shop.storefront.remembered import remembered

bp = Blueprint("impact", __name__)


@bp.get("/impact")
@public
@shared
def impact() -> str:
    """What of this year's money reached which villages."""
    year = today().year
    incomes, road = remembered(("road", year), lambda: _road(year))
    return render_template(
        "storefront/impact.html",
        incomes=incomes,
        picture=picture(road) if road else None,
        money=queries.year_of_money(session(), year),
        shares=queries.year_of_shares(session(), year - 1, today()),
        year=year,
    )


def _road(year: int) -> tuple[queries.Incomes, queries.PublicRoad | None]:
    """The villages' table and the picture beside it, read together so that both say the same."""
    incomes = queries.incomes(session(), year)
    return incomes, queries.public_road(session(), year, incomes.villages)


@bp.get("/open/")
@public
@shared
def open_data() -> str:
    """What there is to fetch, with the meaning of every column, the licence and the vintage."""
    return render_template(
        "storefront/open.html",
        data_sets=DATA_SETS,
        licence=LICENCE,
        licence_address=LICENCE_ADDRESS,
        vintage=now(),
    )


@bp.get("/open/<name>.csv")
@public
def data_set(name: str) -> Response:
    """One data set, as of now, in UTF-8 with a mark that Excel understands."""
    found = next((each for each in DATA_SETS if each.name == name), None)
    if found is None:
        raise Missing(Text("There is no such data set; /open/ lists them."))
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow([column.name for column in found.columns])
    lines.writerows(found.rows(session(), today()))
    return Response(
        "\ufeff" + written.getvalue(),
        mimetype="text/csv",
        headers={
            "Content-Disposition": f"attachment; filename=sutian-{name}-{today()}.csv",
            "Link": f'<{LICENCE_ADDRESS}>; rel="license"',
        },
    )


@bp.get("/open/datapackage.json")
@public
def package() -> Response:
    """The same list for programs."""
    return jsonify(descriptor(services().config.public_url, today()))
