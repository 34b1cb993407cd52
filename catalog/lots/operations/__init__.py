"""Everything that changes what lies in the store: weighing, taking in, reserving, processing."""

from catalog.lots.operations.holding import (
    add_lot_event,
    hold_lot,
    recall_lot,
    release_lot,
)
from catalog.lots.operations.intake import take_in
from catalog.lots.operations.processing import process_lot
from catalog.lots.operations.stock import (
    Loss,
    call_back,
    put_back,
    release,
    reserve,
    ship_out,
    spoil,
)
from catalog.lots.operations.weighing import confirm_slip, record_slip, void_slip

__all__ = [
    "Loss",
    "add_lot_event",
    "call_back",
    "confirm_slip",
    "hold_lot",
    "process_lot",
    "put_back",
    "recall_lot",
    "record_slip",
    "release",
    "release_lot",
    "reserve",
    "ship_out",
    "spoil",
    "take_in",
    "void_slip",
]
