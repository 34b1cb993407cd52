"""The columns of a table of households (domain.md §5)."""

from __future__ import annotations

from catalog.households.models import MonitorType, RiskStatus, Sex
from catalog.households.rules import Detail
from kernel.cells import Area, Choice, Code, Day, Flag, Phone, Whole, Words
from kernel.errors import Invalid, Text
from shop.excel.columns import Column

COLUMNS = (
    Column(
        key="code", zh="户编号", en="Household code", type=Code(12), also=("农户编号", "编码"),
        note=Text("Only for households that are registered already; a new one gets its code."),
    ),
    Column(
        key="name", zh="户主", en="Name", type=Words(40), required=True, example="示例户",
        also=("户主姓名", "姓名", "农户", "农户姓名", "交售人", "head", "head of household"),
    ),
    Column(
        key="village", zh="村", en="Village", type=Words(60), example="大山村",
        also=("村名", "行政村", "所在村", "村社区", "村组", "住址"),
        note=Text("The name, or the twelve digits of its code; 大山村3组 is understood."),
    ),
    Column(
        key="group", zh="组", en="Group", type=Whole(1, 99, "组 社 村民小组"), example="3",
        also=("村民小组", "小组", "组别", "社"),
    ),
    Column(
        key="people", zh="人口", en="People", type=Whole(1, 30, "人 口"), example="4",
        also=("家庭人口", "人数", "家庭人数", "人口数"),
    ),
    Column(
        key="phone", zh="电话", en="Phone", type=Phone(20), example="13800000000",
        also=("联系电话", "手机", "手机号", "手机号码", "电话号码", "mobile"), detail=Detail.PHONE,
    ),
    Column(
        key="identity", zh="身份证号", en="Identity number", type=Code(18),
        also=("户主身份证号", "身份证", "身份证号码", "证件号码", "公民身份号码"),
        example="50011419000103001X", detail=Detail.IDENTITY,
    ),
    Column(
        key="sex", zh="性别", en="Sex", type=Choice(Sex), also=("户主性别",), example="男",
        note=Text("Can be left out where the identity number is given."),
    ),
    Column(
        key="bank", zh="开户行", en="Bank", type=Words(60), also=("开户银行", "银行"),
        example="重庆农商行水市支行", detail=Detail.ACCOUNT,
    ),
    Column(
        key="account", zh="银行账号", en="Account", type=Code(30), detail=Detail.ACCOUNT,
        also=("账号", "卡号", "银行卡号", "一卡通", "一卡通账号", "帐号"),
        example="6217000000000001",
    ),
    Column(
        key="holder", zh="户名", en="Account holder", type=Words(40), example="示例户",
        also=("账户名", "开户人", "持卡人"), detail=Detail.ACCOUNT,
        note=Text("Left empty, it is the head of the household."),
    ),
    Column(
        key="proof", zh="账户证明", en="Proof of account", type=Words(120),
        also=("证明材料", "委托书"), detail=Detail.ACCOUNT,
        note=Text("The paper behind a new account, or the mandate of another holder."),
    ),
    Column(
        key="place", zh="地块", en="Plot", type=Words(60), also=("地块名称", "地名"), example="屋后"
    ),
    Column(
        key="crop", zh="作物", en="Crop", type=Words(60), also=("种植品种", "种植作物", "作物编码"),
        example="R01", note=Text("The code or name of a product. One row for each plot."),
    ),
    Column(
        key="area", zh="面积", en="Area", type=Area(), unit="亩", example="1.2",
        also=("种植面积", "地块面积", "亩数"),
    ),
    Column(
        key="year", zh="年份", en="Year", type=Whole(2000, 2100, "年"), example="2026",
        also=("种植年份", "年度"),
    ),
    Column(
        key="lifted", zh="脱贫户", en="Lifted out of poverty", type=Flag(), detail=Detail.STATUS,
        also=("是否脱贫户",),
    ),
    Column(
        key="monitor", zh="监测类型", en="Monitor type", type=Choice(
            MonitorType,
            also={"脱贫不稳定户": MonitorType.UNSTABLE, "边缘易致贫户": MonitorType.MARGINAL,
                  "突发严重困难户": MonitorType.SUDDEN, "无": MonitorType.NONE},
        ),
        also=("监测对象类型", "监测对象"), detail=Detail.STATUS,
    ),
    Column(
        key="risk", zh="风险状态", en="Risk", detail=Detail.STATUS, also=("风险是否消除",),
        type=Choice(
            RiskStatus,
            also={"风险未消除": RiskStatus.OPEN, "稳定消除": RiskStatus.RESOLVED,
                  "自然消除": RiskStatus.RESOLVED, "无": RiskStatus.NONE},
        ),
    ),
    Column(key="as_of", zh="身份截止日期", en="Status as of", type=Day(), detail=Detail.STATUS,
           also=("截止日期", "统计日期")),
    Column(key="source", zh="身份来源", en="Status source", type=Words(120), detail=Detail.STATUS,
           also=("来源", "数据来源"),
           note=Text("Which register said so: a status is never set without its source.")),
)  # fmt: skip


def missing(*keys: str) -> Invalid:
    """These cells of the row must be filled in."""
    return Invalid(
        {
            each.key: Text("%(name)s is missing.", name=each.name)
            for each in COLUMNS
            if each.key in keys
        }
    )
