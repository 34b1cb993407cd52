"""The sentences of the hosted page, Chinese and English."""

from __future__ import annotations

ZH = {
    "title": "付款",
    "sandbox": "演示环境：这里不会动真钱。",
    "to_pay": "应付",
    "how": "怎么付",
    "card": "银行卡",
    "alipay": "支付宝",
    "wechat_pay": "微信支付",
    "number": "卡号",
    "expiry": "有效期（月/年）",
    "cvc": "安全码",
    "hint": "试付卡：4242 4242 4242 4242 通过；4000 0000 0000 0002 被拒；"
    "4000 0025 0000 3155 要银行验证。",
    "pay": "付",
    "back": "不付了，回到订单",
    "gone": "这个付款页已经失效。请回到订单，重新付款。",
    "failed": "没有付成。换一张卡，或换一种方式再试。",
    "card_declined": "银行拒绝了这张卡，没有扣款。换一张卡，或换一种方式再试。",
    "session_expired": "这个付款页已经失效。请回到订单，重新付款。",
    "bad_number": "卡号不对，请再核对一遍。",
    "bank_title": "银行验证",
    "bank_text": "发卡银行要确认是你本人在付款。",
    "alipay_title": "支付宝付款",
    "alipay_text": "在支付宝里确认这笔付款。",
    "wechat_title": "微信扫码付款",
    "wechat_text": "用微信扫一扫，或者直接在这里模拟。",
    "yes": "确认付款",
    "no": "取消",
    "lang": "zh-Hans-CN",
}

EN = {
    "title": "Pay",
    "sandbox": "Demonstration: no real money moves here.",
    "to_pay": "To pay",
    "how": "How to pay",
    "card": "Card",
    "alipay": "Alipay",
    "wechat_pay": "WeChat Pay",
    "number": "Card number",
    "expiry": "Expiry (month/year)",
    "cvc": "Security code",
    "hint": "Test cards: 4242 4242 4242 4242 passes, 4000 0000 0000 0002 is declined, "
    "4000 0025 0000 3155 asks the bank.",
    "pay": "Pay",
    "back": "Do not pay, back to the order",
    "gone": "This payment page has expired. Please go back to the order and pay again.",
    "failed": "The payment did not go through. Try another card or another way.",
    "card_declined": "The bank declined this card; nothing was charged. "
    "Try another card or another way.",
    "session_expired": "This payment page has expired. Please go back to the order.",
    "bad_number": "This is not a card number; please check it.",
    "bank_title": "Your bank asks",
    "bank_text": "The bank wants to be sure that it is you who pays.",
    "alipay_title": "Pay with Alipay",
    "alipay_text": "Confirm this payment in Alipay.",
    "wechat_title": "Scan with WeChat",
    "wechat_text": "Scan the code with WeChat, or play it here.",
    "yes": "Confirm payment",
    "no": "Cancel",
    "lang": "en",
}


def words_for(locale: str) -> dict[str, str]:
    return EN if locale.startswith("en") else ZH
