"""What the worker can do: importing a room's tasks registers them (`kernel.outbox`)."""

from __future__ import annotations

import catalog.products.tasks  # noqa: F401  registers take_off_lapsed
import kernel.mail  # noqa: F401  registers send_mail
import orders.payments.tasks  # noqa: F401  registers refunds, closing, completing
import orders.sales.tasks  # noqa: F401  registers order_letter
import shop.audit.tasks  # noqa: F401  registers self_check
from kernel.outbox import HANDLERS, SCHEDULES

__all__ = ["HANDLERS", "SCHEDULES"]
