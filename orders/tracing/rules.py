"""What may be said of goods that were called back. Pure."""

from __future__ import annotations

from kernel.errors import Text


def report_problem(shipped: int, accounted: int, of_outcome: int, quantity: int) -> Text | None:
    """Why so much more of one outcome cannot be: with it all outcomes together stay between
    nothing and what was shipped, and this one does not fall below nothing."""
    if quantity == 0:
        return Text("Enter how much.")
    if accounted + quantity > shipped:
        return Text("More than was shipped would be accounted for.")
    if of_outcome + quantity < 0:
        return Text("More would be taken back than was written down.")
    return None


def letter_to_people(
    number: str, product: str, lot: str, reason: str, advice: str, address: str
) -> tuple[str, str]:
    """(subject, body) for those who work for a unit or a cooperative."""
    subject = f"召回 {number}：{product} Recall of {product}"
    body = (
        f"批次 {lot} 的{product}正在召回。\n原因：{reason}\n怎么办：{advice}\n\n"
        f"Goods of lot {lot} are being recalled. Please set them apart and see: {address}\n\n"
        "溯田 Sutian\n"
    )
    return subject, body
