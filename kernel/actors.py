"""Who acts, through which door. Operations take one as `by`; they never ask the web."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kernel.labels import Labelled

PROGRAM = "sutian 0.1"


class Door(Labelled):
    """How a change came in. One rule at all doors (architecture, invariant 10)."""

    WEB = "web"
    API = "api"
    IMPORT = "import"
    COMMAND = "command"
    WORKER = "worker"
    WEBHOOK = "webhook"


class Role(Labelled):
    """What a person does in an organisation; one may hold several (user, role, organisation)."""

    BUYER = "buyer"
    APPROVER = "approver"
    RECEIVER = "receiver"
    FINANCE = "finance"
    UNION = "union"
    WEIGHER = "weigher"
    STOREKEEPER = "storekeeper"
    ACCOUNTANT = "accountant"
    MANAGER = "manager"
    HELPER = "helper"
    HOUSEHOLD = "household"
    OFFICIAL = "official"
    DISTRICT = "district"
    DEPARTMENT = "department"
    AUDITOR = "auditor"
    OPERATOR = "operator"


CANTEEN = (Role.BUYER, Role.APPROVER, Role.RECEIVER, Role.FINANCE, Role.UNION)
COOPERATIVE = (Role.WEIGHER, Role.STOREKEEPER, Role.ACCOUNTANT, Role.MANAGER)
OFFICE = (Role.OFFICIAL, Role.DISTRICT, Role.DEPARTMENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person (or a program) with the one membership it acts under."""

    door: Door
    user_id: int | None = None
    role: Role | None = None
    organisation_id: int | None = None
    region_code: str | None = None
    program: str = PROGRAM

    def through(self, door: Door) -> Actor:
        return replace(self, door=door)


WORKER = Actor(door=Door.WORKER)
COMMAND = Actor(door=Door.COMMAND)
WEBHOOK = Actor(door=Door.WEBHOOK)
