"""lines given back alone, proposals to do so, and what people were told of harvests"""

import sqlalchemy as sa
from alembic import op

from kernel import append_only

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

WRITTEN_ONCE = ["line_withdrawals", "harvest_warnings"]

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _one_of(name, *values):
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _made():
    """Who wrote a row, when, through which door."""
    return [
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", KEY, nullable=True),
        sa.Column(
            "door",
            _one_of("door", "web", "api", "import", "command", "worker", "webhook"),
            nullable=False,
        ),
        sa.Column("program", sa.String(length=40), nullable=False),
    ]


def _refers(table, column, target):
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade():
    whole = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    # In place on both databases: nothing is copied, triggers and constraints stay.
    op.execute(f"ALTER TABLE order_lines ADD COLUMN withdrawn {whole} NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE order_lines ADD COLUMN withdrawn_amount BIGINT NOT NULL DEFAULT 0")
    op.create_table(
        "line_withdrawals",
        sa.Column("id", KEY, nullable=False),
        sa.Column("line_id", KEY, nullable=False),
        sa.Column("quantity", KEY, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        *_made(),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_line_withdrawals_quantity_positive")),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_line_withdrawals_amount_not_negative")),
        _refers("line_withdrawals", "line_id", "order_lines"),
        _refers("line_withdrawals", "made_by_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line_withdrawals")),
    )
    op.create_index(op.f("ix_line_withdrawals_line_id"), "line_withdrawals", ["line_id"])
    op.create_table(
        "line_proposals",
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("line_id", KEY, nullable=False),
        sa.Column("organisation_id", KEY, nullable=False),
        sa.Column("quantity", KEY, nullable=False),
        sa.Column("reason", sa.String(length=120), nullable=False),
        sa.Column(
            "state",
            _one_of("proposalstate", "open", "agreed", "declined", "withdrawn"),
            nullable=False,
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", KEY, nullable=True),
        sa.Column("answer", sa.String(length=200), nullable=False),
        sa.Column("withdrawal_id", KEY, nullable=True),
        *_made(),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_line_proposals_quantity_positive")),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at IS NULL)", name=op.f("ck_line_proposals_decided")
        ),
        sa.CheckConstraint(
            "(state = 'agreed') = (withdrawal_id IS NOT NULL)",
            name=op.f("ck_line_proposals_carried_out"),
        ),
        _refers("line_proposals", "decided_by_id", "users"),
        _refers("line_proposals", "line_id", "order_lines"),
        _refers("line_proposals", "made_by_id", "users"),
        _refers("line_proposals", "order_id", "orders"),
        _refers("line_proposals", "organisation_id", "organisations"),
        _refers("line_proposals", "withdrawal_id", "line_withdrawals"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line_proposals")),
        sa.UniqueConstraint("withdrawal_id", name=op.f("uq_line_proposals_withdrawal_id")),
    )
    op.create_index(op.f("ix_line_proposals_order_id"), "line_proposals", ["order_id"])
    op.create_index(
        "uq_line_proposals_open",
        "line_proposals",
        ["line_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "harvest_warnings",
        sa.Column("id", KEY, nullable=False),
        sa.Column("lot_id", KEY, nullable=False),
        sa.Column("line_id", KEY, nullable=True),
        sa.Column("worry", _one_of("harvestworry", "short", "near", "overdue"), nullable=False),
        sa.Column("quantity", KEY, nullable=False),
        *_made(),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_harvest_warnings_quantity_not_negative")),
        _refers("harvest_warnings", "line_id", "order_lines"),
        _refers("harvest_warnings", "lot_id", "lots"),
        _refers("harvest_warnings", "made_by_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_harvest_warnings")),
    )
    op.create_index("ix_harvest_warnings_of", "harvest_warnings", ["lot_id", "worry", "line_id"])
    append_only.protect(op.get_bind(), WRITTEN_ONCE)


def downgrade():
    append_only.release(op.get_bind(), WRITTEN_ONCE)
    op.drop_index("ix_harvest_warnings_of", table_name="harvest_warnings")
    op.drop_table("harvest_warnings")
    op.drop_index("uq_line_proposals_open", table_name="line_proposals")
    op.drop_index(op.f("ix_line_proposals_order_id"), table_name="line_proposals")
    op.drop_table("line_proposals")
    op.drop_index(op.f("ix_line_withdrawals_line_id"), table_name="line_withdrawals")
    op.drop_table("line_withdrawals")
    for column in ("withdrawn_amount", "withdrawn"):
        op.execute(f"ALTER TABLE order_lines DROP COLUMN {column}")
