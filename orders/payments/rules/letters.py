"""What the people of a cooperative are told of claims and returns. Pure."""

from __future__ import annotations

LETTERS = {
    "claim": (
        "售后申请 {number}（订单 {order}，{amount}）",
        "买家提交了售后申请。请在两个工作日内答复；过期未答复，买家可以请平台决定。\n\n{site}/coop/refunds",
    ),
    "return": (
        "退货申请 {number}（订单 {order}，{amount}）",
        "买家要退货，货到后请登记、验货，七天内退款。\n\n{site}/coop/returns",
    ),
    "return_sent": (
        "退货 {number} 已寄出（订单 {order}）",
        "买家已经寄出退货，快递单号写在退货页上。\n\n{site}/coop/returns",
    ),
}


def letter_to_staff(
    letter: str, *, number: str, amount: str, order: str, site: str
) -> tuple[str, str]:
    """(subject, body) of one letter."""
    subject, body = LETTERS[letter]
    values = {"number": number, "amount": amount, "order": order, "site": site}
    return subject.format(**values), body.format(**values) + "\n\n溯田 Sutian\n"
