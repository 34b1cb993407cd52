"""Recalls: begun, reported on, closed; and who fetched the list of whom to call."""

from orders.tracing.operations.recalling import (
    begin_recall,
    close_recall,
    list_contacts,
    mark_read,
    report_back,
)

__all__ = ["begin_recall", "close_recall", "list_contacts", "mark_read", "report_back"]
