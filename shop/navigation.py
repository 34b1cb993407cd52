"""What stands in the masthead of each desk, and where a person's work begins.

An entry whose page does not exist, or that is closed to the reader, is not shown: nothing leads
nowhere. Templates ask `may_open(address)` before they link to a page of another role.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask, current_app
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from kernel.actors import CANTEEN, COOPERATIVE, OFFICE, Role
from kernel.errors import Text
from kernel.people import Membership
from kernel.web.access import acting


@dataclass(frozen=True, slots=True)
class Entry:
    """`key` is what a page sets as `nav`; who sees it is what its page says of who may enter."""

    key: str
    label: Text
    address: str

    @property
    def entries(self) -> tuple[Entry, ...]:
        return ()

    def holds(self, nav: str) -> bool:
        """Whether the page that set `nav` stands here."""
        return self.key == nav

    def waiting(self, counts: Mapping[str, int]) -> int:
        return counts.get(self.key, 0)


@dataclass(frozen=True, slots=True)
class Group:
    """Entries of one kind of work: one word in the masthead, and a second line while one of them
    is open."""

    label: Text
    entries: tuple[Entry, ...]

    @property
    def address(self) -> str:
        return self.entries[0].address

    def holds(self, nav: str) -> bool:
        return any(each.holds(nav) for each in self.entries)

    def waiting(self, counts: Mapping[str, int]) -> int:
        return sum(each.waiting(counts) for each in self.entries)


@dataclass(frozen=True, slots=True)
class Desk:
    title: Text
    roles: tuple[Role, ...]
    entries: tuple[Entry | Group, ...]


CANTEEN_DESK = Desk(
    Text("Canteen"),
    CANTEEN,
    (
        Entry("canteen.today", Text("Today"), "/canteen/"),
        Entry("canteen.quota", Text("Quota"), "/canteen/quota"),
        Entry("canteen.filings", Text("Filings"), "/canteen/filings"),
        Entry("canteen.order", Text("Place an order"), "/canteen/orders/new"),
        Entry("canteen.orders", Text("Orders"), "/canteen/orders"),
        Entry("canteen.approvals", Text("Approvals"), "/canteen/approvals"),
        Entry("canteen.deliveries", Text("Deliveries"), "/canteen/deliveries"),
        Entry("canteen.recalls", Text("Recalls"), "/canteen/recalls"),
        Entry("canteen.invoices", Text("Invoices"), "/canteen/invoices"),
        Entry("canteen.payments", Text("Payments due"), "/canteen/payments"),
        Entry("canteen.reviews", Text("Reviews"), "/canteen/reviews"),
        Entry("canteen.staff", Text("Staff purchases"), "/canteen/staff"),
    ),
)

COOP_DESK = Desk(
    Text("Cooperative"),
    COOPERATIVE,
    (
        Entry("coop.today", Text("Today"), "/coop/"),
        Group(
            Text("Buying in"),
            (
                Entry("coop.weighin", Text("Weigh-in"), "/coop/weigh-in"),
                Entry("coop.slips", Text("Slips"), "/coop/slips"),
                Entry("coop.reviews", Text("Slips to review"), "/coop/weigh-in/reviews"),
            ),
        ),
        Group(
            Text("Store"),
            (
                Entry("coop.stock", Text("Stock"), "/coop/stock"),
                Entry("coop.lots", Text("Lots"), "/coop/lots"),
                Entry("coop.trace", Text("Trace"), "/coop/trace"),
                Entry("coop.recalls", Text("Recalls"), "/coop/recalls"),
            ),
        ),
        Group(
            Text("Orders"),
            (
                Entry("coop.orders", Text("Orders to ship"), "/coop/orders"),
                Entry("coop.bulk", Text("Units' orders"), "/coop/bulk"),
                Entry("coop.shipments", Text("Shipments"), "/coop/shipments"),
                Entry("coop.letters", Text("Buyers' letters"), "/coop/letters"),
                Entry("coop.claims", Text("Claims"), "/coop/refunds"),
                Entry("coop.returns", Text("Returns"), "/coop/returns"),
            ),
        ),
        Group(
            Text("Products"),
            (
                Entry("coop.products", Text("What we sell"), "/coop/products"),
                Entry("coop.prices", Text("Purchase prices"), "/coop/prices"),
                Entry("coop.market", Text("Price monitoring"), "/coop/market"),
            ),
        ),
        Group(
            Text("Households"),
            (
                Entry("coop.households", Text("Household register"), "/coop/households"),
                Entry("coop.linkage", Text("Households taken along"), "/coop/linkage"),
                Entry("coop.excel", Text("Excel"), "/coop/excel"),
            ),
        ),
        Group(
            Text("Money"),
            (
                Entry("coop.settlement", Text("Settlement"), "/coop/settlement"),
                Entry("coop.bank", Text("Bank statements"), "/coop/bank"),
                Entry("coop.payouts", Text("Payouts"), "/coop/payouts"),
                Entry("coop.invoices", Text("Invoices for citizens"), "/coop/citizen-invoices"),
            ),
        ),
        Group(
            Text("Our cooperative"),
            (
                Entry("coop.supplier", Text("Our admission"), "/coop/supplier"),
                Entry("coop.certificates", Text("Certificates"), "/coop/certificates"),
                Entry("coop.mandates", Text("Sold for others"), "/coop/mandates"),
            ),
        ),
    ),
)

OFFICE_DESK = Desk(
    Text("Office"),
    OFFICE,
    (
        Entry("office.overview", Text("Overview"), "/office/"),
        Entry("office.units", Text("Units"), "/office/units"),
        Entry("office.filings", Text("Filings"), "/office/filings"),
        Group(
            Text("Households"),
            (
                Entry("office.households", Text("Households and villages"), "/office/households"),
                Entry("office.register", Text("Household register"), "/office/households/register"),
                Entry("office.excel", Text("Excel"), "/office/excel"),
            ),
        ),
        Group(
            Text("Supply"),
            (
                Entry("office.suppliers", Text("Suppliers"), "/office/suppliers"),
                Entry("office.prices", Text("Price monitoring"), "/office/prices"),
                Entry("office.trace", Text("Trace"), "/office/trace"),
            ),
        ),
        Entry("office.reports", Text("Bulletins and exports"), "/office/reports"),
        Entry("office.policies", Text("Policies"), "/office/policies"),
    ),
)

HELPER_DESK = Desk(
    Text("Helpers"),
    (Role.HELPER,),
    (
        Entry("helper.households", Text("My households"), "/helper/"),
        Entry("helper.objections", Text("Objections"), "/helper/objections"),
    ),
)

HOUSEHOLD_DESK = Desk(
    Text("Household"),
    (Role.HOUSEHOLD,),
    (Entry("household.passbook", Text("Passbook"), "/helper/passbook"),),
)

AUDIT_DESK = Desk(
    Text("Audit"),
    (Role.AUDITOR,),
    (
        Entry("audit.selfcheck", Text("Self-check"), "/audit/"),
        Entry("audit.books", Text("Books"), "/audit/books"),
        Entry("audit.bank", Text("Bank reconciliation"), "/audit/bank"),
        Entry("audit.trail", Text("Audit trail"), "/audit/trail"),
        Entry("audit.reveals", Text("Read in clear"), "/audit/reveals"),
        Entry("office.register", Text("Household register"), "/office/households/register"),
        Entry("audit.trace", Text("Trace"), "/audit/trace"),
        Entry("office.overview", Text("Reserved shares"), "/office/"),
        Entry("office.units", Text("Units"), "/office/units"),
    ),
)

ADMIN_DESK = Desk(
    Text("Operator"),
    (Role.OPERATOR,),
    (
        Entry("admin.overview", Text("Overview"), "/admin/"),
        Entry("admin.suppliers", Text("Suppliers"), "/admin/suppliers"),
        Entry("admin.products", Text("Products"), "/admin/products"),
        Entry("admin.prices", Text("Price monitoring"), "/admin/prices"),
        Entry("admin.excel", Text("Excel"), "/admin/excel"),
        Entry("admin.letters", Text("Buyers' letters"), "/admin/letters"),
        Entry("admin.users", Text("Accounts"), "/admin/users"),
        Entry("admin.claims", Text("Claims to decide"), "/admin/claims"),
        Entry("admin.payments", Text("Payments to look at"), "/admin/payments"),
        Entry("admin.jobs", Text("Jobs"), "/admin/jobs"),
    ),
)

DESKS = (
    CANTEEN_DESK,
    COOP_DESK,
    OFFICE_DESK,
    HELPER_DESK,
    HOUSEHOLD_DESK,
    AUDIT_DESK,
    ADMIN_DESK,
)

NO_DESK = Desk(Text("Account"), (), ())


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(desk_home=desk_home, desk_of=desk_of, may_open=may_open)


def desk_of(acting: Membership | None) -> Desk:
    """The desk of this membership, with the entries that exist and that its role may open."""
    if acting is None:
        return NO_DESK
    for desk in DESKS:
        if acting.role in desk.roles:
            found = (_open_to(each, acting.role) for each in desk.entries)
            return Desk(desk.title, desk.roles, tuple(each for each in found if each is not None))
    return NO_DESK


def _open_to(entry: Entry | Group, role: Role) -> Entry | Group | None:
    """What is left of it for this role; of a group that leaves one page, the page itself."""
    if isinstance(entry, Entry):
        return entry if _admits(_known(entry.address), role) else None
    left = tuple(each for each in entry.entries if _admits(_known(each.address), role))
    return Group(entry.label, left) if len(left) > 1 else left[0] if left else None


def desk_home(acting: Membership | None) -> str | None:
    """Where this person's work begins; None for citizens."""
    entries = desk_of(acting).entries
    return entries[0].address if entries else None


def may_open(address: str) -> bool:
    """Whether there is a page at this address that lets the reader in."""
    found = acting()
    return _admits(_access(address), found.role if found else None)


def _admits(access: object, role: Role | None) -> bool:
    return access in ("public", "signed in") or (isinstance(access, tuple) and role in access)


def _known(address: str) -> object:
    """`_access` of an address that stands in this file, looked up once."""
    known: dict[str, object] = current_app.extensions.setdefault("navigation", {})
    if address not in known:
        known[address] = _access(address)
    return known[address]


def _access(address: str) -> object:
    """What the view at this address says of who may enter; None where there is none."""
    try:
        endpoint, _ = current_app.url_map.bind("localhost").match(address, method="GET")
    except RequestRedirect as moved:
        return _access(urlsplit(moved.new_url).path)
    except HTTPException:
        return None
    return getattr(current_app.view_functions[endpoint], "access", None)
