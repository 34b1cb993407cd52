"""Pasted address lines, as people paste them."""

from __future__ import annotations

import pytest

from orders.sales.queries import places_named_in
from orders.sales.rules.addresses import Place, after_place, choose_place, read_pasted

YUBEI = Place("500112000000", "渝北区", "市辖区", "重庆市")
CHAOYANG = Place("110105000000", "朝阳区", "市辖区", "北京市")
CHANGCHUN = Place("220104000000", "朝阳区", "长春市", "吉林省")


@pytest.mark.parametrize(
    "text",
    [
        "林女士 13855501234 重庆市渝北区龙山街道松牌路8号3栋12-4",
        "重庆市渝北区龙山街道松牌路8号3栋12-4,林女士,13855501234",
        "收货人:林女士\n手机号码:１３８５５５０１２３４\n所在地区:重庆市渝北区龙山街道\n详细地址:松牌路8号3栋12-4",
        "13855501234林女士,重庆市渝北区龙山街道松牌路8号3栋12-4",
        "林女士 +86 138-5550-1234 重庆市渝北区龙山街道松牌路8号3栋12-4",
    ],
)
def test_who_number_and_place_are_read_in_any_order(text):
    found = read_pasted(text)

    assert (found.recipient, found.phone) == ("林女士", "13855501234")
    assert choose_place(found.address, [YUBEI]) == YUBEI
    assert after_place(found.address, YUBEI).replace(" ", "") == "龙山街道松牌路8号3栋12-4"


def test_a_county_of_two_provinces_is_told_apart_or_not_guessed():
    both = [CHAOYANG, CHANGCHUN]

    assert choose_place("吉林省长春市朝阳区红旗街", both) == CHANGCHUN
    assert choose_place("北京朝阳区建国路", both) == CHAOYANG
    assert choose_place("朝阳区建国路", both) is None
    assert choose_place("建国路 1 号", both) is None


def test_a_place_is_named_without_the_headings_of_the_code_list():
    assert YUBEI.name == "重庆市渝北区"
    assert CHANGCHUN.name == "吉林省长春市朝阳区"


def test_counties_are_found_in_the_table(session):
    found = places_named_in(session, "重庆市渝北区龙山街道")

    assert [place.name for place in found] == ["重庆市渝北区"]
    assert len(places_named_in(session, "朝阳区")) > 1
