"""The photos of products. A photo's bytes never change, so a browser may keep them for ever."""

from __future__ import annotations

from flask import Blueprint, Response

from catalog.products import queries
from kernel.actors import Role
from kernel.errors import Missing, Text
from kernel.web.access import acting, public
from kernel.web.work import services, session

bp = Blueprint("product_photos", __name__, url_prefix="/photos")


@bp.get("/<int:photo_id>/<int:width>.<extension>")
@public
def show(photo_id: int, width: int, extension: str) -> Response:
    """What the shop shows anybody may see; what waits only its cooperative and the operator."""
    member = acting()
    photo = queries.photo_of(
        session(),
        photo_id,
        organisation_id=member.organisation_id if member else None,
        everything=member is not None and member.role is Role.OPERATOR,
    )
    found = photo.picture.rendition(width, extension)
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    answer = Response(services().storage.get(found["sha256"]), mimetype=found["media_type"])
    shown = photo.position is not None
    kept = "public, max-age=31536000, immutable" if shown else "private, max-age=600"
    answer.headers["Cache-Control"] = kept
    return answer
