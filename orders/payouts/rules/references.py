"""The reference each payment carries to the bank and back. Pure."""

from __future__ import annotations

import re
import unicodedata

NUMBER_KIND = "FF"  # 发放

_REFERENCE = re.compile(r"(?<![A-Z0-9])FF[\s-]*(\d{2})[\s-]*(\d{6})[\s-]*(\d{5})(?!\d)")


def reference(run_number: str, place: int) -> str:
    """`FF26-000012-00043`: the 43rd line of the run."""
    return f"{run_number}-{place:05}"


def references_in(memo: str) -> list[str]:
    """`代发ＦＦ26000012-00043` → ["FF26-000012-00043"], each once, in order."""
    plain = unicodedata.normalize("NFKC", memo).upper()
    found = (f"FF{year}-{run}-{place}" for year, run, place in _REFERENCE.findall(plain))
    return list(dict.fromkeys(found))


_FAILURES = (
    ("name_mismatch", ("户名", "姓名", "名称不符")),
    ("account_closed", ("销户", "注销", "冻结")),
    ("wrong_account", ("账号", "卡号", "账户不存在", "无此户")),
)


def failure_in(memo: str) -> str:
    """What the bank's words say of why it did not pay; `other` when they say nothing known."""
    plain = unicodedata.normalize("NFKC", memo)
    for reason, words in _FAILURES:
        if any(word in plain for word in words):
            return reason
    return "other"
