"""A small township for looking at the public pages: goods of several villages in every season."""

from __future__ import annotations

from datetime import UTC, date, datetime

from catalog.households import operations as households
from catalog.households.models import ConsentPurpose
from catalog.products.models import Grade
from kernel.db import stamp
from kernel.money import Money, Price
from kernel.regions import load_regions
from orders.sales.models import BuyerKind, Order, OrderState, Review
from orders.shares.models import BenefitModel, BenefitRule, CostKind, PartKind, RuleCost, SplitPart
from tests import makers

XINAN, CHAYUAN, GUANLI = "500114125203", "500114125204", "500114125205"
YANGLIU, SHUISHI = "500114125206", "500114125001"

CATEGORIES = (
    ("vegetables", "蔬菜", "Vegetables"), ("konjac", "魔芋", "Konjac"), ("tea", "红茶", "Red tea"),
    ("grain", "大米", "Rice"), ("oil", "茶油", "Oil"), ("meat", "肉类", "Meat"),
)  # fmt: skip

# slug, category, zh, en, drawing, fresh, harvest, stored, packs (zh, en, grams, fen), farm price,
# villages with how many households each brought how many grams
GOODS = (
    ("space-radish", "vegetables", "太空萝卜", "Space radish", "radish", True,
     [["10-15", "12-25"]], [["12-26", "01-31"]],
     [("5 kg 一箱", "Box of 5 kg", 5_000, 3_300), ("10 kg 一箱", "Box of 10 kg", 10_000, 5_800),
      ("20 kg 一箱", "Box of 20 kg", 20_000, 10_800)],
     32_000,
     ((makers.DASHAN, 12, 210_000), (makers.QINGLONG, 9, 180_000), (makers.MAOXI, 3, 80_000))),
    ("mountain-cabbage", "vegetables", "高山白菜", "Mountain cabbage", "cabbage", True,
     [["10-01", "12-31"]], [],
     [("10 kg 一箱", "Box of 10 kg", 10_000, 3_600)], 17_000, ((XINAN, 8, 150_000),)),
    ("fresh-konjac", "konjac", "鲜魔芋", "Fresh konjac", "konjac", True,
     [["10-08", "12-10"]], [["12-11", "02-08"]],
     [("5 kg 一箱", "Box of 5 kg", 5_000, 3_200)], 36_000,
     ((CHAYUAN, 11, 120_000), (YANGLIU, 6, 100_000))),
    ("konjac-flour", "konjac", "魔芋粉", "Konjac flour", "konjac-flour", False,
     [], [["01-01", "12-31"]], [("400 g 一袋", "Bag of 400 g", 400, 3_900)], 480_000,
     ((GUANLI, 5, 9_000),)),
    ("anxin-red-tea", "tea", "安心红茶", "Anxin red tea", "tea", False,
     [["03-20", "05-20"]], [["01-01", "12-31"]],
     [("一级 250 g 一罐", "First grade, tin of 250 g", 250, 19_600)], 4_500_000,
     ((CHAYUAN, 26, 6_000),)),
    ("new-rice", "grain", "当年新米", "New rice", "rice", False,
     [["09-05", "10-20"]], [["01-01", "12-31"]],
     [("5 kg 一袋", "Bag of 5 kg", 5_000, 4_800)], 66_000,
     ((GUANLI, 6, 160_000), (YANGLIU, 9, 170_000))),
    ("tea-seed-oil", "oil", "新榨茶油", "Tea-seed oil", "oil", False,
     [["10-20", "12-31"]], [["01-01", "06-15"]],
     [("500 ml 一瓶", "Bottle of 500 ml", 458, 5_700)], 700_000, ((makers.QINGLONG, 7, 12_000),)),
    ("smoked-pork", "meat", "柏枝熏腊肉", "Smoked pork", "pork", False,
     [], [["12-20", "12-31"], ["01-01", "06-30"]],
     [("1 kg 一条", "Piece of 1 kg", 1_000, 8_400)], 520_000, ()),
    ("beef", "meat", "黄牛肉", "Beef", "beef", True,
     [["01-01", "12-31"]], [], [("牛腩 1 kg 一块", "Brisket, 1 kg", 1_000, 9_200)], 640_000,
     ((XINAN, 5, 40_000),)),
)  # fmt: skip

SAID = {
    "space-radish": ("种子上过太空，落在水市镇九百多米的坡上。生吃脆甜，炖汤一刻钟就化渣。",
                     "Its seed has been to space. Crisp and sweet raw, tender in soup in minutes."),
}  # fmt: skip


def build(session) -> dict[str, object]:
    """Everything the public pages show, from one cooperative; returns products by slug."""
    load_regions(session)
    of = makers.supplier(session, "水市镇联合社", code="SS")
    shelves = {slug: makers.category(session, zh, en, slug) for slug, zh, en in CATEGORIES}
    families: dict[str, list[object]] = {}
    made = {row[0]: _product(session, of, shelves, row, families) for row in GOODS}
    _reviews(session, made["space-radish"])
    first = families[makers.DASHAN][0]
    for purpose, words in (
        (ConsentPurpose.ALIAS, "大山村的老冉"),
        (ConsentPurpose.STORY, "我种了三十年萝卜，头一回晓得它去了哪家桌上。"),
    ):
        households.give_consent(
            session, first.id, purpose=purpose, content=words, given_on=date(2026, 9, 1),
            by=makers.SOMEBODY, now=makers.NOON,
        )  # fmt: skip
    return made


def _product(session, of, shelves, row, families):
    slug, shelf, zh, en, drawing, fresh, harvest, stored, packs, farm, brought = row
    said = SAID.get(slug, (f"{zh}，水市镇出的。", f"{en} from Shuishi."))
    product = makers.product(
        session, of, slug=slug, code=f"Z{GOODS.index(row):02}", name_zh=zh, name_en=en,
        summary_zh=said[0], summary_en=said[1], illustration=drawing, fresh=fresh,
        needs_certificate=False, harvest=harvest, stored=stored, category_=shelves[shelf],
        position=GOODS.index(row), shelf_life_days=400 if not fresh else 40,
        storage_zh="阴凉处", storage_en="in a cool place",
    )  # fmt: skip
    for place, (pack_zh, pack_en, content, fen) in enumerate(packs):
        _pack(session, product, pack_zh, pack_en, content, fen, place)
    makers.products.put_on_sale(session, product.id, by=makers.SOMEBODY, now=makers.NOON)
    makers.purchase_price(session, product, price=Price(farm))
    rule = _rule(session, product)
    at = datetime(2026, 11, 8, 3, 40, tzinfo=UTC)
    for village, count, grams in brought:
        known = families.setdefault(village, [])
        while len(known) < count:
            known.append(
                makers.household(session, f"农户{len(known)}", region_code=village, group_no=1)
            )
        for home in known[:count]:
            part = makers.contribution(session, product, home, net_g=grams, at=at)
            _sold(session, of, product, rule, part)
    return product


def _pack(session, product, zh, en, content, fen, place):
    makers.products.add_pack(
        session, product.id, shelf=makers.Shelf.CITIZENS, grade=Grade.FIRST, name_zh=zh,
        name_en=en, content=content, price=Money(fen), position=place,
        by=makers.SOMEBODY, now=makers.NOON,
    )  # fmt: skip


def _rule(session, product):
    rule = BenefitRule(
        product_id=product.id, version=1, model=BenefitModel.FLOOR_AND_REBATE,
        valid_from=date(2026, 3, 1), retained_bp=3000, resolution="水联决〔2026〕03号",
        **stamp(makers.SOMEBODY, makers.NOON),
    )  # fmt: skip
    session.add(rule)
    session.flush()
    session.add_all([
        RuleCost(rule_id=rule.id, kind=CostKind.FREIGHT, per_unit=Price(11_600)),
        RuleCost(rule_id=rule.id, kind=CostKind.PACKAGING, per_unit=Price(3_200)),
        RuleCost(rule_id=rule.id, kind=CostKind.SORTING, per_unit=Price(2_850)),
        RuleCost(rule_id=rule.id, kind=CostKind.PAYMENT_FEE, share_bp=60, citizens_only=True),
    ])  # fmt: skip
    session.flush()
    return rule


def _sold(session, of, product, rule, part):
    """As if half of what this household brought had been sold and accepted."""
    amount = Money(part.cost.fen // 2)
    for kind, share, home in (
        (PartKind.FARM_GATE, amount, part.household_id),
        (PartKind.REBATE, Money(amount.fen // 6), part.household_id),
        (PartKind.FREIGHT, Money(amount.fen // 4), None),
        (PartKind.PACKAGING, Money(amount.fen // 9), None),
        (PartKind.SORTING, Money(amount.fen // 8), None),
        (PartKind.RETAINED, Money(amount.fen // 12), None),
        (PartKind.PAYMENT_FEE, Money(amount.fen // 120), None),
    ):
        session.add(
            SplitPart(
                subject=f"shown:{part.id}", line=f"line:{part.id}", order=f"order:{part.id}",
                supplier_id=of.id, product_id=product.id, rule_id=rule.id, kind=kind,
                household_id=home, quantity=0, amount=share, on=date(2026, 11, 12),
                cause=f"shown:{part.id}:{kind.value}", **stamp(makers.SOMEBODY, makers.NOON),
            )
        )  # fmt: skip


def _reviews(session, product):
    letters = (
        (
            5,
            "切开能照见人影，水分足。孩子先捞萝卜吃，叶子焯水拌了一盘。",
            "重庆渝北",
            "",
        ),
        (3, "味道好，但是有一个从中间裂了，压的。", "湖北恩施", "按 1.1 kg 退了 ¥6.38，当天到账。"),
        (5, "", "", ""),
    )
    for number, (stars, text, place, reply) in enumerate(letters):
        order = Order(
            number=f"SC-TEST-{number}", code=f"TEST{number}", request_key=f"shown:{number}",
            buyer_kind=BuyerKind.CITIZEN, state=OrderState.COMPLETED, placed_at=makers.NOON,
            goods=Money(5_800), total=Money(5_800), recipient="林女士", phone="13800000000",
            address="松牌路 8 号", **stamp(makers.SOMEBODY, makers.NOON),
        )  # fmt: skip
        session.add(order)
        session.flush()
        session.add(
            Review(
                order_id=order.id, subject=f"shown:{number}", product_id=product.id, stars=stars,
                text=text, place=place, reply=reply, **stamp(makers.SOMEBODY, makers.NOON),
            )
        )  # fmt: skip
    session.flush()
