"""Everything that changes what lies in the store: weighing, taking in, reserving, processing."""

from catalog.lots.operations.adjusting import decide_adjustment, propose_adjustment
from catalog.lots.operations.conformity import issue_certificate, issue_household_certificate
from catalog.lots.operations.counting import (
    begin_count,
    enter_count,
    finish_count,
    give_up_count,
)
from catalog.lots.operations.handing import (
    dismiss_handed_slip,
    hand_over_slip,
    write_handed_slip,
)
from catalog.lots.operations.harvests import announce_harvest, correct_harvest, end_harvest
from catalog.lots.operations.holding import (
    add_lot_event,
    close_lot,
    hold_lot,
    recall_lot,
    release_lot,
    set_apart,
)
from catalog.lots.operations.intake import take_in
from catalog.lots.operations.labelling import (
    MOST_LABELS_AT_ONCE,
    note_scan,
    print_labels,
    reprint_labels,
)
from catalog.lots.operations.moving import (
    open_store,
    receive_transfer,
    repack_lots,
    send_to_store,
    split_lot,
)
from catalog.lots.operations.offline import (
    Brought,
    Conflict,
    accept_offline_slip,
)
from catalog.lots.operations.processing import process_lot, publish_band
from catalog.lots.operations.retracting import take_back_adjustment, take_back_count
from catalog.lots.operations.reversing import (
    decide_reversal,
    propose_reversal,
    record_correction,
)
from catalog.lots.operations.reviewing import (
    approve_slip,
    issue_card,
    keep_slip_photo,
    set_purchase_cap,
)
from catalog.lots.operations.sorting import Sorted, sort_lot
from catalog.lots.operations.stock import (
    Loss,
    call_back,
    put_back,
    release,
    reserve,
    ship_out,
    spoil,
)
from catalog.lots.operations.undoing import undo_step
from catalog.lots.operations.watching import set_stock_level
from catalog.lots.operations.weighing import confirm_slip, record_slip, void_slip

__all__ = [
    "MOST_LABELS_AT_ONCE",
    "Brought",
    "Conflict",
    "Loss",
    "Sorted",
    "accept_offline_slip",
    "add_lot_event",
    "announce_harvest",
    "approve_slip",
    "begin_count",
    "call_back",
    "close_lot",
    "confirm_slip",
    "correct_harvest",
    "decide_adjustment",
    "decide_reversal",
    "dismiss_handed_slip",
    "end_harvest",
    "enter_count",
    "finish_count",
    "give_up_count",
    "hand_over_slip",
    "hold_lot",
    "issue_card",
    "issue_certificate",
    "issue_household_certificate",
    "keep_slip_photo",
    "note_scan",
    "open_store",
    "print_labels",
    "process_lot",
    "propose_adjustment",
    "propose_reversal",
    "publish_band",
    "put_back",
    "recall_lot",
    "receive_transfer",
    "record_correction",
    "record_slip",
    "release",
    "release_lot",
    "repack_lots",
    "reprint_labels",
    "reserve",
    "send_to_store",
    "set_apart",
    "set_purchase_cap",
    "set_stock_level",
    "ship_out",
    "sort_lot",
    "split_lot",
    "spoil",
    "take_back_adjustment",
    "take_back_count",
    "take_in",
    "undo_step",
    "void_slip",
    "write_handed_slip",
]
