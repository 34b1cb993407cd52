"""What the worker can do: importing a room's tasks registers them (`kernel.outbox`)."""

from __future__ import annotations

import catalog.products.tasks
import catalog.suppliers.tasks  # noqa: F401  registers warn_of_expiry, remind_of_review
import kernel.mail  # noqa: F401  registers send_mail
import orders.agencies.tasks
import orders.payments.tasks
import orders.sales.tasks  # noqa: F401  registers order_letter
import shop.account.closing  # registers find_accounts_to_close, close_account
import shop.audit.tasks  # registers self_check
import shop.excel.doing  # registers preview_import, carry_out_import
import shop.housekeeping  # noqa: F401  registers tidy_up
from kernel.outbox import HANDLERS, SCHEDULES

__all__ = ["HANDLERS", "SCHEDULES"]
