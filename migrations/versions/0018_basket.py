"""group purchases, presents, invoice wishes, chosen days, pick-up points, limits per buyer"""

import sqlalchemy as sa
from alembic import op

from kernel import append_only

revision = "0018"
down_revision = "0010"
branch_labels = None
depends_on = None

WRITTEN_ONCE = ["order_recipients", "invoice_wishes"]

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Columns that join tables with rows in them: the old rows get this value, new ones say their own.
JOINING = {
    "basket_lines": [("note", sa.String(length=100), "")],
    "order_lines": [("note", sa.String(length=100), "")],
    "orders": [("fresh_agreed", sa.Boolean(), sa.false())],
    "freight_templates": [
        ("weekdays", sa.String(length=7), ""),
        ("halves", sa.Boolean(), sa.false()),
        ("lead_days", KEY, "2"),
    ],
}

# Columns that old rows do not have.
ABSENT = {
    "baskets": [("people", sa.LargeBinary())],
    "packs": [("most_per_buyer", KEY), ("limit_days", KEY)],
    "order_lines": [("recipient_id", KEY)],
    "orders": [
        ("phone_hash", sa.String(length=64)),
        ("day_part", sa.String(length=32)),
        ("gift_from", sa.LargeBinary()),
        ("gift_words", sa.LargeBinary()),
    ],
}
TOUCHED = sorted({*JOINING, *ABSENT})


def _made():
    """Who wrote a row, when, through which door."""
    doors = ("web", "api", "import", "command", "worker", "webhook")
    return [
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", KEY, nullable=True),
        sa.Column("door", _enum("door", *doors), nullable=False),
        sa.Column("program", sa.String(length=40), nullable=False),
    ]


def _enum(name, *values):
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _refers(table, column, target):
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade():
    op.create_table(
        "pick_up_points",
        sa.Column("id", KEY, nullable=False),
        sa.Column("supplier_id", KEY, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=120), nullable=False),
        sa.Column("hours", sa.String(length=60), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("in_use", sa.Boolean(), nullable=False),
        *_made(),
        _refers("pick_up_points", "made_by_id", "users"),
        _refers("pick_up_points", "supplier_id", "suppliers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pick_up_points")),
        sa.UniqueConstraint("supplier_id", "name", name=op.f("uq_pick_up_points_supplier_id_name")),
    )
    op.create_table(
        "order_recipients",
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("position", KEY, nullable=False),
        sa.Column("recipient", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_region", sa.String(length=12), nullable=False),
        sa.Column("note", sa.String(length=100), nullable=False),
        sa.Column("freight", sa.BigInteger(), nullable=False),
        *_made(),
        sa.CheckConstraint("freight >= 0", name=op.f("ck_order_recipients_freight_not_negative")),
        _refers("order_recipients", "made_by_id", "users"),
        _refers("order_recipients", "order_id", "orders"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_recipients")),
        sa.UniqueConstraint(
            "order_id", "position", name=op.f("uq_order_recipients_order_id_position")
        ),
    )
    op.create_table(
        "invoice_wishes",
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("kind", _enum("invoicekind", "personal", "company"), nullable=False),
        sa.Column("title", sa.LargeBinary(), nullable=False),
        sa.Column("tax_number", sa.String(length=18), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        *_made(),
        sa.CheckConstraint(
            "(kind = 'company') = (tax_number <> '')", name=op.f("ck_invoice_wishes_company")
        ),
        _refers("invoice_wishes", "made_by_id", "users"),
        _refers("invoice_wishes", "order_id", "orders"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_wishes")),
        sa.UniqueConstraint("order_id", name=op.f("uq_invoice_wishes_order_id")),
    )
    append_only.release(op.get_bind(), ["freight_templates"])
    for table in TOUCHED:
        _join(table)
    op.create_index(op.f("ix_orders_phone_hash"), "orders", ["phone_hash"], unique=False)
    append_only.protect(op.get_bind(), [*WRITTEN_ONCE, "freight_templates"])


def _join(table):
    with op.batch_alter_table(table, schema=None) as batch_op:
        for name, kind in ABSENT.get(table, ()):
            batch_op.add_column(sa.Column(name, kind, nullable=True))
        for name, kind, before in JOINING.get(table, ()):
            batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=before))
        if table == "order_lines":
            batch_op.create_foreign_key(
                batch_op.f("fk_order_lines_recipient_id"),
                "order_recipients",
                ["recipient_id"],
                ["id"],
            )
        if table == "orders":
            batch_op.create_check_constraint(
                batch_op.f("ck_orders_daypart"), "day_part IN ('morning', 'afternoon')"
            )
    if table in JOINING:
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name, kind, _before in JOINING[table]:
                batch_op.alter_column(
                    name, existing_type=kind, existing_nullable=False, server_default=None
                )


def downgrade():
    append_only.release(op.get_bind(), [*WRITTEN_ONCE, "freight_templates"])
    op.drop_index(op.f("ix_orders_phone_hash"), table_name="orders")
    for table in TOUCHED:
        with op.batch_alter_table(table, schema=None) as batch_op:
            if table == "order_lines":
                batch_op.drop_constraint(
                    batch_op.f("fk_order_lines_recipient_id"), type_="foreignkey"
                )
            if table == "orders":
                batch_op.drop_constraint(batch_op.f("ck_orders_daypart"), type_="check")
            for name, *_ in (*ABSENT.get(table, ()), *JOINING.get(table, ())):
                batch_op.drop_column(name)
    append_only.protect(op.get_bind(), ["freight_templates"])
    for table in ("invoice_wishes", "order_recipients", "pick_up_points"):
        op.drop_table(table)
