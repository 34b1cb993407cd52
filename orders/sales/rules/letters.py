"""What a buyer is told by mail at each step, in the language of the order. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    number: str
    total: str
    address: str
    about: str = ""


_ZH = {
    "placed": (
        "订单 {number}：请在 15 分钟内付款",
        (
            "我们给你留好了货，合计 {total}。15 分钟内付款，过时货会放回货架。\n\n"
            "看订单、去付款：{address}"
        ),
    ),
    "transfer": (
        "订单 {number}：请在三天内转账",
        (
            "我们给你留好了货，合计 {total}。三天内转到合作社账户，附言写订单号 {number}，"
            "过时货会放回货架。收款账户在订单页上。\n\n看订单：{address}"
        ),
    ),
    "paid": (
        "订单 {number}：已收到付款",
        "收到 {total}，正在备货。发货后再写信告诉你。\n\n看订单：{address}",
    ),
    "shipped": (
        "订单 {number}：已发货",
        (
            "货已经发出（{about}）。收到后请看一看、称一称；鲜货破损或短秤，48 小时内告诉我们。\n\n"
            "看订单、确认收货：{address}"
        ),
    ),
    "called_back": (
        "订单 {number}：{about} 还没有发出",
        "这一单先前登记为已发货，其实没有发出，货还给你留着。真正发出时再告诉你。\n\n看订单：{address}",
    ),
    "closed": (
        "订单 {number}：已关闭",
        "订单没有在时间内付款，已经关闭，没有扣款。想要的话可以重新下单。\n\n看订单：{address}",
    ),
    "cancelled": (
        "订单 {number}：已取消",
        "订单已取消。付过的钱会原路退回。\n\n看订单：{address}",
    ),
    "recalled": (
        "订单 {number}：请不要食用，货品召回（{about}）",
        (
            "你买的货里有正在召回的批次：{about}。请不要食用，也不要送人；把货和包装留好，等合作社"
            "联系你退货退款。已经吃了觉得不舒服，请就医并带上包装。\n\n"
            "看订单、申请退款：{address}"
        ),
    ),
    "refund_asked": (
        "订单 {number}：收到退款申请 {about}",
        "合作社会在两个工作日内答复。\n\n看订单：{address}",
    ),
    "refunded": (
        "订单 {number}：退款 {about}",
        "钱会原路退回，通常 1 到 7 天到账。\n\n看订单：{address}",
    ),
    "refund_declined": (
        "订单 {number}：退款申请 {about} 没有通过",
        "理由写在订单页上。不同意的话，十五天内可以在订单页请平台介入。\n\n看订单：{address}",
    ),
    "completed": (
        "订单 {number}：已完成，看看钱去了哪里",
        "这一单已经完成，货款分到了种它的人家。每一分钱去了哪里，都写在订单页上。\n\n{address}",
    ),
    "received": (
        "订单 {number}：已签收",
        (
            "货已经签收。请看一看、称一称：鲜货破损、短秤，48 小时内拍照告诉我们；不是鲜货的，"
            "七天内可以无理由退货。一切都好的话，可以在订单页点“完成”，不点的话十天后自动完成，"
            "货款分给种它的人家。\n\n看订单：{address}"
        ),
    ),
    "refund_offered": (
        "订单 {number}：合作社提出部分退款（{about}）",
        (
            "合作社看了你的申请，提出退一部分：{about}。请在七天内到订单页选择接受，或请平台介入。"
            "七天没有回复，就按这个金额退款。\n\n看订单、答复：{address}"
        ),
    ),
    "refund_escalated": (
        "订单 {number}：{about} 已转平台处理",
        "平台会看双方的说明和照片，再作决定，结果写信告诉你。\n\n看订单：{address}",
    ),
    "refund_done": (
        "订单 {number}：退款已到账（{about}）",
        "支付渠道已经把钱退回原来的付款方式。\n\n看订单：{address}",
    ),
    "return_begun": (
        "订单 {number}：可以寄回了（{about}）",
        (
            "退货地址和最迟寄出的日子写在订单页上。请把没有拆封的货包好寄出，然后在订单页填快递公司"
            "和单号。合作社收到并验货后，七天内退款。\n\n看地址、填单号：{address}"
        ),
    ),
    "return_arrived": (
        "订单 {number}：退货已收到（{about}）",
        "合作社已经收到你寄回的货，正在验货，七天内退款。\n\n看订单：{address}",
    ),
    "return_ended": (
        "订单 {number}：退货申请已结束（{about}）",
        "约定的时间内没有寄出退货，这次申请已经结束，订单照常。\n\n看订单：{address}",
    ),
    "invoice": (
        "订单 {number}：电子发票已开好",
        "发票号码 {about}。在订单页可以下载。\n\n下载发票：{address}",
    ),
}

_EN = {
    "placed": (
        "Order {number}: please pay within 15 minutes",
        (
            "Your goods are set aside, {total} in all. Unpaid after 15 minutes they go back on the "
            "shelf.\n\nSee the order and pay: {address}"
        ),
    ),
    "transfer": (
        "Order {number}: please transfer the money within three days",
        (
            "Your goods are set aside, {total} in all. Please transfer it within three days, with "
            "the order's number {number} as the purpose; then they go back on the shelf. The "
            "account stands on the order's page.\n\nSee the order: {address}"
        ),
    ),
    "paid": (
        "Order {number}: payment received",
        (
            "We received {total} and are packing. You will hear from us when it leaves.\n\n"
            "See the order: {address}"
        ),
    ),
    "shipped": (
        "Order {number}: on its way",
        (
            "Your goods have left ({about}). Please look and weigh when they arrive; damage or "
            "short weight of fresh goods is claimed within 48 hours.\n\nSee the order: {address}"
        ),
    ),
    "called_back": (
        "Order {number}: {about} has not left yet",
        (
            "We wrote too early that your goods had left. They are still set aside for you; you "
            "will hear from us when they go.\n\nSee the order: {address}"
        ),
    ),
    "closed": (
        "Order {number}: closed",
        (
            "The order was not paid in time and is closed; nothing was charged.\n\n"
            "See the order: {address}"
        ),
    ),
    "cancelled": (
        "Order {number}: cancelled",
        (
            "The order is cancelled. What was paid goes back the way it came.\n\n"
            "See the order: {address}"
        ),
    ),
    "recalled": (
        "Order {number}: please do not eat it, goods recalled ({about})",
        (
            "Some of what you bought is being recalled: {about}. Please do not eat it or give it "
            "away; keep goods and wrapping until the cooperative calls you about the return and "
            "your money. If you ate some and feel unwell, see a doctor and take the wrapping "
            "along.\n\nSee the order, ask for your money back: {address}"
        ),
    ),
    "refund_asked": (
        "Order {number}: refund request {about}",
        "The cooperative answers within two working days.\n\nSee the order: {address}",
    ),
    "refunded": (
        "Order {number}: refund {about}",
        (
            "The money goes back the way it came, usually within 1 to 7 days.\n\n"
            "See the order: {address}"
        ),
    ),
    "refund_declined": (
        "Order {number}: refund request {about} was declined",
        (
            "The reason stands on the order's page. If you disagree, ask the platform there within "
            "fifteen days.\n\n"
            "See the order: {address}"
        ),
    ),
    "completed": (
        "Order {number}: completed, see where the money went",
        (
            "This order is complete; its money went to the households that grew it. The order's "
            "page shows where every fen went.\n\n{address}"
        ),
    ),
    "received": (
        "Order {number}: received",
        (
            "Your goods have arrived. Please look and weigh: damage and short weight of fresh "
            "goods are claimed with photos within 48 hours; what is not fresh may be sent back "
            "within seven days without reasons. If all is well, complete the order on its page; "
            "otherwise it completes by itself in ten days, and the money is divided.\n\n"
            "See the order: {address}"
        ),
    ),
    "refund_offered": (
        "Order {number}: the cooperative offers a part ({about})",
        (
            "The cooperative looked at your claim and offers a part: {about}. Please accept it on "
            "the order's page within seven days, or ask the platform to decide. After seven days "
            "without an answer this amount is sent.\n\nAnswer: {address}"
        ),
    ),
    "refund_escalated": (
        "Order {number}: the platform looks at {about}",
        (
            "The platform reads what both sides say and show, and writes to you when it has "
            "decided.\n\nSee the order: {address}"
        ),
    ),
    "refund_done": (
        "Order {number}: money sent back ({about})",
        "The payment provider has sent the money back the way it came.\n\nSee the order: {address}",
    ),
    "return_begun": (
        "Order {number}: please send it back ({about})",
        (
            "Where to and until when stands on the order's page. Please pack the unopened goods, "
            "send them, and write carrier and number on that page. The money goes back within "
            "seven days of their arrival, when they were looked at.\n\n"
            "Address and parcel number: {address}"
        ),
    ),
    "return_arrived": (
        "Order {number}: your parcel has come back ({about})",
        (
            "The cooperative has the goods and is looking at them; the money goes back within "
            "seven days.\n\nSee the order: {address}"
        ),
    ),
    "return_ended": (
        "Order {number}: the return has ended ({about})",
        (
            "Nothing was sent back in time, so this request has ended and the order goes its "
            "way.\n\nSee the order: {address}"
        ),
    ),
    "invoice": (
        "Order {number}: the invoice is there",
        "Invoice number {about}; download it on the order's page.\n\nDownload: {address}",
    ),
}


def letter_for(name: str, locale: str, facts: Facts) -> tuple[str, str]:
    """(subject, body) of one letter."""
    subject, body = (_EN if locale.startswith("en") else _ZH)[name]
    values = {
        "number": facts.number,
        "total": facts.total,
        "address": facts.address,
        "about": facts.about,
    }
    return subject.format(**values), body.format(**values) + "\n\n溯田 Sutian\n"
