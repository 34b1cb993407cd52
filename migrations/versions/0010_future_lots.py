"""harvests that are expected, their households' parts, and what came of them"""

import re

import sqlalchemy as sa
from alembic import op

from kernel import append_only

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

WRITTEN_ONCE = ["harvest_arrivals"]

# Values that join those a column may hold: (table, constraint, column) → new ones.
WIDER = {
    ("lots", "ck_lots_lotstate", "state"): ("expected",),
    ("stock_moves", "ck_stock_moves_movekind", "kind"): ("expected",),
}

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _made():
    """Who wrote a row, when, through which door."""
    return [
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", KEY, nullable=True),
        sa.Column(
            "door",
            sa.Enum(
                "web",
                "api",
                "import",
                "command",
                "worker",
                "webhook",
                name="door",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("program", sa.String(length=40), nullable=False),
    ]


def _refers(table, column, target):
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade():
    op.create_table(
        "harvests",
        sa.Column("id", KEY, nullable=False),
        sa.Column("lot_id", KEY, nullable=False),
        sa.Column("supplier_id", KEY, nullable=False),
        sa.Column("confidence_bp", KEY, nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", KEY, nullable=True),
        sa.Column("ended_reason", sa.String(length=200), nullable=False),
        *_made(),
        sa.CheckConstraint(
            "confidence_bp > 0 AND confidence_bp <= 10000", name=op.f("ck_harvests_confidence")
        ),
        _refers("harvests", "ended_by_id", "users"),
        _refers("harvests", "lot_id", "lots"),
        _refers("harvests", "made_by_id", "users"),
        _refers("harvests", "supplier_id", "suppliers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_harvests")),
        sa.UniqueConstraint("lot_id", name=op.f("uq_harvests_lot_id")),
    )
    op.create_index(op.f("ix_harvests_supplier_id"), "harvests", ["supplier_id"])
    op.create_table(
        "harvest_parts",
        sa.Column("id", KEY, nullable=False),
        sa.Column("harvest_id", KEY, nullable=False),
        sa.Column("contribution_id", KEY, nullable=False),
        sa.Column("announced", KEY, nullable=False),
        sa.Column("expected", KEY, nullable=False),
        sa.Column("came", KEY, nullable=False),
        sa.Column("may_promise", KEY, nullable=False),
        *_made(),
        sa.CheckConstraint("came >= 0", name=op.f("ck_harvest_parts_came_not_negative")),
        sa.CheckConstraint(
            "expected >= 0 AND expected <= announced AND announced > 0",
            name=op.f("ck_harvest_parts_not_more_than_said"),
        ),
        sa.CheckConstraint(
            "may_promise >= 0", name=op.f("ck_harvest_parts_may_promise_not_negative")
        ),
        _refers("harvest_parts", "contribution_id", "contributions"),
        _refers("harvest_parts", "harvest_id", "harvests"),
        _refers("harvest_parts", "made_by_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_harvest_parts")),
        sa.UniqueConstraint("contribution_id", name=op.f("uq_harvest_parts_contribution_id")),
    )
    op.create_index(op.f("ix_harvest_parts_harvest_id"), "harvest_parts", ["harvest_id"])
    op.create_table(
        "harvest_arrivals",
        sa.Column("id", KEY, nullable=False),
        sa.Column("part_id", KEY, nullable=False),
        sa.Column("contribution_id", KEY, nullable=False),
        sa.Column("quantity", KEY, nullable=False),
        *_made(),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_harvest_arrivals_quantity_positive")),
        _refers("harvest_arrivals", "contribution_id", "contributions"),
        _refers("harvest_arrivals", "made_by_id", "users"),
        _refers("harvest_arrivals", "part_id", "harvest_parts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_harvest_arrivals")),
        sa.UniqueConstraint("contribution_id", name=op.f("uq_harvest_arrivals_contribution_id")),
    )
    op.create_index(op.f("ix_harvest_arrivals_part_id"), "harvest_arrivals", ["part_id"])
    for (table, constraint, column), more in WIDER.items():
        _allow(table, constraint, column, lambda values, more=more: [*values, *more])
    append_only.protect(op.get_bind(), WRITTEN_ONCE)


def downgrade():
    append_only.release(op.get_bind(), WRITTEN_ONCE)
    for (table, constraint, column), more in WIDER.items():
        _allow(
            table,
            constraint,
            column,
            lambda values, more=more: [v for v in values if v not in more],
        )
    op.drop_index(op.f("ix_harvest_arrivals_part_id"), table_name="harvest_arrivals")
    op.drop_table("harvest_arrivals")
    op.drop_index(op.f("ix_harvest_parts_harvest_id"), table_name="harvest_parts")
    op.drop_table("harvest_parts")
    op.drop_index(op.f("ix_harvests_supplier_id"), table_name="harvests")
    op.drop_table("harvests")


def _allow(table, constraint, column, change):
    """Another list of values for a column, whatever it held until now.

    SQLite cannot alter a CHECK, and copying these tables would lose their other constraints; the
    documented way is to write the new text into its schema.
    """
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        told = connection.execute(
            sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"),
            {"name": constraint},
        ).scalar_one()
        listed = ", ".join(f"'{value}'" for value in change(re.findall(r"'(\w+)'", told)))
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK ({column} IN ({listed}))"
        )
        return
    told = connection.execute(
        sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name"),
        {"name": table},
    ).scalar_one()
    before = re.search(rf"(CONSTRAINT {constraint} CHECK \({column} IN \()([^)]*)(\)\))", told)
    listed = ", ".join(f"'{value}'" for value in change(re.findall(r"'(\w+)'", before[2])))
    after = told.replace(before[0], f"{before[1]}{listed}{before[3]}")
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.execute(
        sa.text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :name"),
        {"sql": after, "name": table},
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")
