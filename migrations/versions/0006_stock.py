"""stores, transfers, losses, counts and yields"""

import re

import sqlalchemy as sa
from alembic import op

from kernel import append_only


revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WRITTEN_ONCE = ["count_entries", "stock_levels", "yield_bands"]

STEPS = ("sort", "wash", "dry", "mill", "pack", "other", "split", "repack", "transfer")

# Values that join those a column may hold: (table, constraint, column) → new ones.
WIDER = {
    ("lots", "ck_lots_lotstate", "state"): ("awaiting_test", "in_transit"),
    ("stock_moves", "ck_stock_moves_movekind", "kind"): ("moved_out", "moved_in", "undone"),
    ("lot_events", "ck_lot_events_loteventkind", "kind"): (
        "set_apart",
        "split",
        "repacked",
        "sent",
        "arrived",
        "undone",
        "closed",
    ),
}

# New columns, all of them empty for the rows that are there: (table, column, type, what it refers to).
COLUMNS = (
    ("lots", "uid", "VARCHAR(36)", None),
    ("lots", "store_id", "INTEGER", "stores"),
    ("processings", "kind", "VARCHAR(32)", None),
    ("processings", "least_bp", "INTEGER", None),
    ("processings", "most_bp", "INTEGER", None),
    ("processings", "reason", "VARCHAR(200)", None),
    ("processings", "undone_at", "DATETIME", None),
    ("processings", "undone_by_id", "INTEGER", "users"),
    ("processings", "undone_reason", "VARCHAR(200)", None),
)


def upgrade():
    op.create_table(
        "stores",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("place", sa.String(length=120), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
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
        sa.ForeignKeyConstraint(["made_by_id"], ["users.id"], name=op.f("fk_stores_made_by_id")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_stores_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stores")),
        sa.UniqueConstraint("supplier_id", "name", name=op.f("uq_stores_supplier_id_name")),
    )
    op.create_table(
        "stock_counts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column(
            "supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("store_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "counting",
                "finished",
                "given_up",
                name="countstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "ended_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
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
        sa.ForeignKeyConstraint(
            ["ended_by_id"], ["users.id"], name=op.f("fk_stock_counts_ended_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_stock_counts_made_by_id")
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_stock_counts_store_id")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_stock_counts_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_counts")),
        sa.UniqueConstraint("number", name=op.f("uq_stock_counts_number")),
    )
    op.create_index(
        op.f("ix_stock_counts_supplier_id"), "stock_counts", ["supplier_id"], unique=False
    )
    op.create_table(
        "stock_levels",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("least", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
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
        sa.CheckConstraint("least >= 0", name=op.f("ck_stock_levels_not_negative")),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_stock_levels_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_stock_levels_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_levels")),
    )
    op.create_index(
        op.f("ix_stock_levels_product_id"), "stock_levels", ["product_id"], unique=False
    )
    op.create_table(
        "yield_bands",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "input_product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "output_product_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "sort",
                "wash",
                "dry",
                "mill",
                "pack",
                "other",
                "split",
                "repack",
                "transfer",
                name="stepkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("least_bp", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("most_bp", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
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
        sa.CheckConstraint(
            "least_bp >= 0 AND least_bp <= most_bp", name=op.f("ck_yield_bands_in_order")
        ),
        sa.ForeignKeyConstraint(
            ["input_product_id"], ["products.id"], name=op.f("fk_yield_bands_input_product_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_yield_bands_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["output_product_id"], ["products.id"], name=op.f("fk_yield_bands_output_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_yield_bands")),
    )
    op.create_index(
        "ix_yield_bands_of",
        "yield_bands",
        ["input_product_id", "output_product_id", "kind"],
        unique=False,
    )
    op.create_table(
        "count_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("count_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("counted", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("book", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
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
        sa.CheckConstraint(
            "counted >= 0 AND book >= 0", name=op.f("ck_count_entries_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["count_id"], ["stock_counts.id"], name=op.f("fk_count_entries_count_id")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_count_entries_lot_id")),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_count_entries_made_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count_entries")),
    )
    op.create_index(op.f("ix_count_entries_count_id"), "count_entries", ["count_id"], unique=False)
    op.create_index(op.f("ix_count_entries_lot_id"), "count_entries", ["lot_id"], unique=False)
    op.create_table(
        "store_transfers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "processing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "from_store_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "to_store_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("arrived", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "arrived_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
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
        sa.CheckConstraint("arrived >= 0", name=op.f("ck_store_transfers_not_negative")),
        sa.ForeignKeyConstraint(
            ["arrived_by_id"], ["users.id"], name=op.f("fk_store_transfers_arrived_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["from_store_id"], ["stores.id"], name=op.f("fk_store_transfers_from_store_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_store_transfers_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["processing_id"], ["processings.id"], name=op.f("fk_store_transfers_processing_id")
        ),
        sa.ForeignKeyConstraint(
            ["to_store_id"], ["stores.id"], name=op.f("fk_store_transfers_to_store_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_transfers")),
        sa.UniqueConstraint("processing_id", name=op.f("uq_store_transfers_processing_id")),
    )
    op.create_table(
        "adjustments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("request_key", sa.String(length=80), nullable=True),
        sa.Column(
            "supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "spoiled",
                "shrink",
                "count",
                "transfer",
                name="adjustmentkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("quantity", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("photo_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("count_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "transfer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
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
        sa.Column("cost", sa.BigInteger(), nullable=True),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.String(length=200), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
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
        sa.CheckConstraint(
            "(state = 'approved') = (cost IS NOT NULL)",
            name=op.f("ck_adjustments_cost_when_approved"),
        ),
        sa.CheckConstraint("quantity <> 0", name=op.f("ck_adjustments_something")),
        sa.ForeignKeyConstraint(
            ["count_id"], ["stock_counts.id"], name=op.f("fk_adjustments_count_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["users.id"], name=op.f("fk_adjustments_decided_by_id")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_adjustments_lot_id")),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_adjustments_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["stored_files.id"], name=op.f("fk_adjustments_photo_id")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_adjustments_supplier_id")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["store_transfers.id"], name=op.f("fk_adjustments_transfer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjustments")),
        sa.UniqueConstraint("number", name=op.f("uq_adjustments_number")),
        sa.UniqueConstraint("request_key", name=op.f("uq_adjustments_request_key")),
    )
    op.create_index(op.f("ix_adjustments_count_id"), "adjustments", ["count_id"], unique=False)
    op.create_index(op.f("ix_adjustments_lot_id"), "adjustments", ["lot_id"], unique=False)
    op.create_index("ix_adjustments_state", "adjustments", ["supplier_id", "state"], unique=False)
    for table, column, kind, target in COLUMNS:
        _add_column(table, column, kind, target)
    op.create_index("uq_lots_uid", "lots", ["uid"], unique=True)
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
    op.drop_index("uq_lots_uid", table_name="lots")
    for table, column, _, _ in reversed(COLUMNS):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    op.drop_index("ix_adjustments_state", table_name="adjustments")
    op.drop_index(op.f("ix_adjustments_lot_id"), table_name="adjustments")
    op.drop_index(op.f("ix_adjustments_count_id"), table_name="adjustments")
    op.drop_table("adjustments")
    op.drop_table("store_transfers")
    op.drop_index(op.f("ix_count_entries_lot_id"), table_name="count_entries")
    op.drop_index(op.f("ix_count_entries_count_id"), table_name="count_entries")
    op.drop_table("count_entries")
    op.drop_index("ix_yield_bands_of", table_name="yield_bands")
    op.drop_table("yield_bands")
    op.drop_index(op.f("ix_stock_levels_product_id"), table_name="stock_levels")
    op.drop_table("stock_levels")
    op.drop_index(op.f("ix_stock_counts_supplier_id"), table_name="stock_counts")
    op.drop_table("stock_counts")
    op.drop_table("stores")


def _add_column(table, column, kind, target):
    """In place on both databases: nothing is copied, triggers and constraints stay."""
    if op.get_bind().dialect.name == "postgresql":
        kind = {"INTEGER": "BIGINT", "DATETIME": "TIMESTAMP WITH TIME ZONE"}.get(kind, kind)
    clause = ""
    if target:
        clause = f" CONSTRAINT fk_{table}_{column} REFERENCES {target} (id)"
    if (table, column) == ("processings", "kind"):
        listed = ", ".join(f"'{step}'" for step in STEPS)
        clause = f" CONSTRAINT ck_processings_stepkind CHECK (kind IN ({listed}))"
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
