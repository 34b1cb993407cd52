"""group purchases, presents, chosen days, pick-up points, limits per buyer"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# (table, column, its kind, what old rows get or nothing, its constraint)
JOINING = [
    ("basket_lines", "note", "VARCHAR(100)", "''", ""),
    ("order_lines", "note", "VARCHAR(100)", "''", ""),
    ("freight_templates", "weekdays", "VARCHAR(7)", "''", ""),
    ("freight_templates", "halves", "BOOLEAN", "false", ""),
    ("freight_templates", "lead_days", "WHOLE", "2", ""),
    ("baskets", "people", "SEALED", None, ""),
    ("packs", "most_per_buyer", "WHOLE", None, ""),
    ("packs", "limit_days", "WHOLE", None, ""),
    (
        "order_lines", "recipient_id", "WHOLE", None,
        "CONSTRAINT fk_order_lines_recipient_id REFERENCES order_recipients (id)",
    ),
    ("orders", "phone_hash", "VARCHAR(64)", None, ""),
    (
        "orders", "day_part", "VARCHAR(32)", None,
        "CONSTRAINT ck_orders_daypart CHECK (day_part IN ('morning', 'afternoon'))",
    ),
    ("orders", "gift_from", "SEALED", None, ""),
    ("orders", "gift_words", "SEALED", None, ""),
]  # fmt: skip


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
    _join()
    op.create_index(op.f("ix_orders_phone_hash"), "orders", ["phone_hash"], unique=False)


def _join():
    """In place on both databases: nothing is copied, triggers and constraints stay."""
    postgres = op.get_bind().dialect.name == "postgresql"
    kinds = {
        "WHOLE": "BIGINT" if postgres else "INTEGER",
        "SEALED": "BYTEA" if postgres else "BLOB",
    }
    for table, name, kind, before, constraint in JOINING:
        given = "" if before is None else f"NOT NULL DEFAULT {before}"
        kind = kinds.get(kind, kind)
        op.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind} {given} {constraint}")
        if postgres and before is not None:
            op.alter_column(table, name, server_default=None)


def downgrade():
    op.drop_index(op.f("ix_orders_phone_hash"), table_name="orders")
    for table, name, *_ in reversed(JOINING):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
    for table in ("order_recipients", "pick_up_points"):
        op.drop_table(table)
