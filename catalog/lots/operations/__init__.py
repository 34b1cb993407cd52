"""Everything that changes what lies in the store: weighing, taking in, reserving, processing."""

from catalog.lots.operations.conformity import issue_certificate, issue_household_certificate
from catalog.lots.operations.handing import (
    dismiss_handed_slip,
    hand_over_slip,
    write_handed_slip,
)
from catalog.lots.operations.holding import (
    add_lot_event,
    hold_lot,
    recall_lot,
    release_lot,
)
from catalog.lots.operations.intake import take_in
from catalog.lots.operations.offline import (
    Brought,
    Conflict,
    accept_offline_slip,
)
from catalog.lots.operations.processing import process_lot
from catalog.lots.operations.reviewing import (
    approve_slip,
    issue_card,
    keep_slip_photo,
    set_purchase_cap,
)
from catalog.lots.operations.stock import (
    Loss,
    put_back,
    release,
    reserve,
    ship_out,
    spoil,
)
from catalog.lots.operations.weighing import confirm_slip, record_slip, void_slip

__all__ = [
    "Brought",
    "Conflict",
    "Loss",
    "accept_offline_slip",
    "add_lot_event",
    "approve_slip",
    "confirm_slip",
    "dismiss_handed_slip",
    "hand_over_slip",
    "hold_lot",
    "issue_card",
    "issue_certificate",
    "issue_household_certificate",
    "keep_slip_photo",
    "process_lot",
    "put_back",
    "recall_lot",
    "record_slip",
    "release",
    "release_lot",
    "reserve",
    "set_purchase_cap",
    "ship_out",
    "spoil",
    "take_in",
    "void_slip",
    "write_handed_slip",
]
