"""weigh slips, losses and counts are taken back by papers of their own; sorting has many outputs"""

import re

import sqlalchemy as sa
from alembic import op

from kernel import append_only

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

WRITTEN_ONCE = ["processing_outputs"]

# Values that join those a column may hold: (table, constraint, column) → new ones.
WIDER = {
    ("weigh_slips", "ck_weigh_slips_slipstate", "state"): ("reversed",),
    ("stock_moves", "ck_stock_moves_movekind", "kind"): ("reversed",),
    ("lot_events", "ck_lot_events_loteventkind", "kind"): ("reversed",),
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
        "slip_reversals",
        sa.Column("id", KEY, nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("slip_id", KEY, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "approved",
                "refused",
                name="adjustmentstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("decided_by_id", KEY, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.String(length=200), nullable=False),
        sa.Column("replacement_id", KEY, nullable=True),
        *_made(),
        sa.CheckConstraint(
            "replacement_id <> slip_id", name=op.f("ck_slip_reversals_another_slip")
        ),
        sa.CheckConstraint(
            "state = 'approved' OR replacement_id IS NULL",
            name=op.f("ck_slip_reversals_replaced_when_approved"),
        ),
        _refers("slip_reversals", "decided_by_id", "users"),
        _refers("slip_reversals", "made_by_id", "users"),
        _refers("slip_reversals", "replacement_id", "weigh_slips"),
        _refers("slip_reversals", "slip_id", "weigh_slips"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slip_reversals")),
        sa.UniqueConstraint("number", name=op.f("uq_slip_reversals_number")),
        sa.UniqueConstraint("replacement_id", name=op.f("uq_slip_reversals_replacement_id")),
    )
    _only_one("uq_slip_reversals_slip", "slip_reversals", "slip_id")
    op.create_table(
        "processing_outputs",
        sa.Column("id", KEY, nullable=False),
        sa.Column("processing_id", KEY, nullable=False),
        sa.Column("lot_id", KEY, nullable=False),
        sa.Column("quantity", KEY, nullable=False),
        *_made(),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_processing_outputs_quantity_positive")),
        _refers("processing_outputs", "lot_id", "lots"),
        _refers("processing_outputs", "made_by_id", "users"),
        _refers("processing_outputs", "processing_id", "processings"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_processing_outputs")),
        sa.UniqueConstraint("lot_id", name=op.f("uq_processing_outputs_lot_id")),
    )
    op.create_index(
        op.f("ix_processing_outputs_processing_id"), "processing_outputs", ["processing_id"]
    )
    _add_column("contributions", "reversed_at", "DATETIME")
    _add_column("processings", "waste", "INTEGER")
    _add_column("adjustments", "reverses_id", "INTEGER", "adjustments")
    _only_one("uq_adjustments_reverses", "adjustments", "reverses_id")
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
    op.drop_index("uq_adjustments_reverses", table_name="adjustments")
    for table, column in (
        ("adjustments", "reverses_id"),
        ("processings", "waste"),
        ("contributions", "reversed_at"),
    ):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    op.drop_index(op.f("ix_processing_outputs_processing_id"), table_name="processing_outputs")
    op.drop_table("processing_outputs")
    op.drop_index("uq_slip_reversals_slip", table_name="slip_reversals")
    op.drop_table("slip_reversals")


def _only_one(name, table, column):
    """At most one that nobody refused."""
    open_ones = sa.text("state <> 'refused'")
    op.create_index(
        name, table, [column], unique=True, sqlite_where=open_ones, postgresql_where=open_ones
    )


def _add_column(table, column, kind, target=None):
    """In place on both databases: nothing is copied, triggers and constraints stay."""
    if op.get_bind().dialect.name == "postgresql":
        kind = {"INTEGER": "BIGINT", "DATETIME": "TIMESTAMP WITH TIME ZONE"}[kind]
    clause = f" CONSTRAINT fk_{table}_{column} REFERENCES {target} (id)" if target else ""
    op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}{clause}")


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
