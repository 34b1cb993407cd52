"""Whose households the signed-in person reads and changes at a desk, and as whom."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households import queries
from catalog.households.models import Household
from catalog.households.rules import Part, Viewer, changes, viewer_of
from catalog.lots.models import WeighSlip
from catalog.lots.queries.stock import STANDS
from catalog.products.models import Product
from catalog.suppliers.queries import catchment, supplier_of
from kernel.actors import COOPERATIVE, OFFICE, Role
from kernel.errors import Forbidden, Missing, Text
from kernel.people import Membership
from kernel.web.access import acting
from kernel.web.work import today
from shop.office.whose import desk_of

READERS = {
    "coop": COOPERATIVE,
    "office": (*OFFICE, Role.AUDITOR),
    "helper": (Role.HELPER,),
}
# What of a household can be read in clear, as pages call it.
DETAIL_WORDS = {
    "name": Text("Name"),
    "identity": Text("Identity number"),
    "account": Text("Payout account"),
}
NAV = {"coop": "coop.households", "office": "office.register", "helper": "helper.households"}


@dataclass(frozen=True, slots=True)
class Reach:
    """One desk with the households it reaches; `place` is where new ones can be entered."""

    desk: str
    role: Role
    whose: queries.Whose
    place: str
    supplier_id: int | None = None

    @property
    def nav(self) -> str:
        return NAV[self.desk]

    @property
    def register(self) -> str:
        """The address of its list."""
        addresses = {"coop": "/coop/households", "helper": "/helper/"}
        return addresses.get(self.desk, "/office/households/register")

    def page(self, code: str) -> str:
        return f"/{self.desk}/households/{code}"

    def may(self, part: Part) -> bool:
        return changes(part, self.role)


@dataclass(frozen=True, slots=True)
class Home:
    """A household within reach: its id, and as whom it is read here."""

    id: int
    code: str
    viewer: Viewer


def reach_of(session: Session, desk: str) -> Reach:
    """What the acting membership reaches at this desk; a desk that is not theirs does not exist."""
    membership = acting()
    if membership is None or membership.role not in READERS[desk]:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    township = membership.organisation.region_code[:9] + "000"
    if desk == "coop":
        return _cooperative(session, membership, township)
    viewer = viewer_of(membership.role)
    if desk == "helper":
        whose = queries.Whose(viewer, helper_id=membership.user_id)
    else:
        whose = queries.Whose(viewer, prefixes=desk_of(session, membership).villages)
    return Reach(desk, membership.role, whose, township)


def _cooperative(session: Session, membership: Membership, township: str) -> Reach:
    """A cooperative's own producers are those it weighed something for or entered itself."""
    supplier = supplier_of(session, membership.organisation_id)
    weighed = sa.select(WeighSlip.household_id).where(
        WeighSlip.supplier_id == supplier.id,
        STANDS,
        WeighSlip.household_id.is_not(None),
    )
    own = sa.select(Household.id).where(
        sa.or_(Household.organisation_id == membership.organisation_id, Household.id.in_(weighed))
    )
    whose = queries.Whose(
        viewer_of(membership.role), prefixes=tuple(catchment(session, supplier)), own=own
    )
    return Reach("coop", membership.role, whose, township, supplier.id)


def home_of(session: Session, reach: Reach, code: str, part: Part | None = None) -> Home:
    """The household of that code; with `part`, only if this may be changed here."""
    key, viewer = queries.reached_household(session, reach.whose, code, today=today())
    if part is not None:
        if not reach.may(part):
            raise Forbidden(Text("Your account may not enter here."))
        if viewer is Viewer.COLLECTOR:
            raise Forbidden(
                Text("Only a cooperative that this household delivers to may change it.")
            )
    return Home(key, code, viewer)


def villages_at(session: Session, reach: Reach, also: str = "") -> dict[str, str]:
    """Code → name of the villages a household can live in here, its present one too."""
    found = {village.code: village.short_name for village in queries.villages(session, reach.place)}
    if also and also not in found:
        found[also] = also
    return found


def crops(session: Session) -> dict[str, Product]:
    """Product by its code, as fields name their crop, in the order of the shelf."""
    return {
        product.code: product
        for product in session.scalars(sa.select(Product).order_by(Product.position, Product.id))
    }
