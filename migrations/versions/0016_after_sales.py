"""after sales: evidence, offers, return parcels, invoices; no more goes back than was paid"""

import re

import sqlalchemy as sa
from alembic import op

from kernel import append_only

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

WRITTEN_ONCE = ["refund_photos", "refund_events", "return_slices", "invoice_files"]
STATE = ("refunds", "ck_refunds_refundstate", "state")
NEW_STATES = ("offered", "escalated", "withdrawn")
ADDED = [
    ("refunds", "asked", "BIGINT"),
    ("refunds", "offer", "BIGINT"),
    ("refunds", "answered_at", "MOMENT"),
    ("refunds", "escalated_at", "MOMENT"),
    ("refund_lines", "asked", "WHOLE"),
]

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)

# True when more goes back than was paid: of the line, and of the payment.
LINE_TOO_MUCH = (
    "SELECT 1 FROM order_lines l WHERE l.id = NEW.line_id AND ("
    "(SELECT COALESCE(SUM(rl.amount), 0) FROM refund_lines rl JOIN refunds r ON r.id = rl.refund_id "
    "WHERE rl.line_id = l.id AND r.state NOT IN ('declined', 'withdrawn')) > l.amount OR "
    "(SELECT COALESCE(SUM(rl.quantity), 0) FROM refund_lines rl JOIN refunds r "
    "ON r.id = rl.refund_id WHERE rl.line_id = l.id "
    "AND r.state NOT IN ('declined', 'withdrawn')) > l.quantity)"
)
PAYMENT_TOO_MUCH = (
    "SELECT 1 FROM payments p WHERE p.id = NEW.payment_id AND "
    "(SELECT COALESCE(SUM(r.amount), 0) FROM refunds r WHERE r.payment_id = p.id "
    "AND r.state NOT IN ('declined', 'withdrawn')) > COALESCE(p.received, 0)"
)
AGAIN_TOO_MUCH = (
    "SELECT 1 FROM refund_lines mine JOIN order_lines l ON l.id = mine.line_id "
    "WHERE mine.refund_id = NEW.id AND "
    "(SELECT COALESCE(SUM(rl.amount), 0) FROM refund_lines rl JOIN refunds r ON r.id = rl.refund_id "
    "WHERE rl.line_id = l.id AND r.state NOT IN ('declined', 'withdrawn')) > l.amount"
)
WORDS = "no more goes back than was paid"


def _made():
    """Who wrote a row, when, through which door."""
    return [
        sa.Column("made_at", MOMENT, nullable=False),
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
    for table, column, kind in ADDED:
        of = {"BIGINT": sa.BigInteger(), "MOMENT": MOMENT, "WHOLE": KEY}[kind]
        op.add_column(table, sa.Column(column, of, nullable=True))
    _allow(*STATE, lambda values: [*values, *NEW_STATES])
    _after_sales()
    _invoices()
    append_only.protect(op.get_bind(), WRITTEN_ONCE)
    _guard()


def _after_sales():
    op.create_table(
        "refund_photos",
        sa.Column("id", KEY, nullable=False),
        sa.Column("refund_id", KEY, nullable=False),
        sa.Column("file_id", KEY, nullable=False),
        *_made(),
        _refers("refund_photos", "refund_id", "refunds"),
        _refers("refund_photos", "file_id", "stored_files"),
        _refers("refund_photos", "made_by_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_photos")),
        sa.UniqueConstraint("refund_id", "file_id", name=op.f("uq_refund_photos_refund_id_file_id")),
    )
    op.create_table(
        "refund_events",
        sa.Column("id", KEY, nullable=False),
        sa.Column("refund_id", KEY, nullable=False),
        sa.Column("from_state", sa.String(length=32), nullable=False),
        sa.Column("to_state", sa.String(length=32), nullable=False),
        sa.Column("words", sa.String(length=200), nullable=False),
        *_made(),
        _refers("refund_events", "refund_id", "refunds"),
        _refers("refund_events", "made_by_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_events")),
    )
    op.create_index(op.f("ix_refund_events_refund_id"), "refund_events", ["refund_id"])
    op.create_table(
        "return_parcels",
        sa.Column("id", KEY, nullable=False),
        sa.Column("refund_id", KEY, nullable=False),
        sa.Column("supplier_id", KEY, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "to_send",
                "under_way",
                "arrived",
                "accepted",
                "refused",
                "ended",
                name="returnstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("send_by", sa.Date(), nullable=False),
        sa.Column("carrier", sa.String(length=40), nullable=False),
        sa.Column("tracking", sa.String(length=40), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("arrived_at", MOMENT, nullable=True),
        sa.Column("inspected_at", MOMENT, nullable=True),
        sa.Column("remark", sa.String(length=200), nullable=False),
        *_made(),
        sa.CheckConstraint(
            "(state <> 'under_way') OR carrier <> ''",
            name=op.f("ck_return_parcels_carrier_named"),
        ),
        _refers("return_parcels", "refund_id", "refunds"),
        _refers("return_parcels", "supplier_id", "suppliers"),
        _refers("return_parcels", "made_by_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_parcels")),
        sa.UniqueConstraint("refund_id", name=op.f("uq_return_parcels_refund_id")),
    )
    op.create_index("ix_return_parcels_supplier", "return_parcels", ["supplier_id", "state"])
    op.create_table(
        "return_addresses",
        sa.Column("id", KEY, nullable=False),
        sa.Column("supplier_id", KEY, nullable=False),
        sa.Column("recipient", sa.String(length=40), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=120), nullable=False),
        *_made(),
        _refers("return_addresses", "supplier_id", "suppliers"),
        _refers("return_addresses", "made_by_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_addresses")),
        sa.UniqueConstraint("supplier_id", name=op.f("uq_return_addresses_supplier_id")),
    )
    op.create_table(
        "return_slices",
        sa.Column("id", KEY, nullable=False),
        sa.Column("refund_line_id", KEY, nullable=False),
        sa.Column("allocation_id", KEY, nullable=False),
        sa.Column("quantity", KEY, nullable=False),
        sa.Column("lost", KEY, nullable=False),
        *_made(),
        sa.CheckConstraint(
            "quantity > 0 AND lost >= 0 AND lost <= quantity",
            name=op.f("ck_return_slices_within"),
        ),
        _refers("return_slices", "refund_line_id", "refund_lines"),
        _refers("return_slices", "allocation_id", "allocations"),
        _refers("return_slices", "made_by_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_slices")),
        sa.UniqueConstraint(
            "refund_line_id", "allocation_id", name=op.f("uq_return_slices_refund_line_id_allocation_id")
        ),
    )
    op.create_index(op.f("ix_return_slices_allocation_id"), "return_slices", ["allocation_id"])


def _invoices():
    op.create_table(
        "invoice_wishes",
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("title", sa.LargeBinary(), nullable=False),
        sa.Column("tax_number", sa.String(length=20), nullable=False),
        *_made(),
        _refers("invoice_wishes", "order_id", "orders"),
        _refers("invoice_wishes", "made_by_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_wishes")),
        sa.UniqueConstraint("order_id", name=op.f("uq_invoice_wishes_order_id")),
    )
    op.create_table(
        "invoice_files",
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("supplier_id", KEY, nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("file_id", KEY, nullable=False),
        *_made(),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_invoice_files_something")),
        _refers("invoice_files", "order_id", "orders"),
        _refers("invoice_files", "supplier_id", "suppliers"),
        _refers("invoice_files", "file_id", "stored_files"),
        _refers("invoice_files", "made_by_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_files")),
        sa.UniqueConstraint("number", name=op.f("uq_invoice_files_number")),
    )
    for column in ("order_id", "supplier_id"):
        op.create_index(op.f(f"ix_invoice_files_{column}"), "invoice_files", [column])


def _guard():
    """Whatever program writes: refunds that stand never exceed their line or their payment."""
    guards = {
        "refund_lines": (LINE_TOO_MUCH,),
        "refunds": (PAYMENT_TOO_MUCH, AGAIN_TOO_MUCH),
    }
    for table, conditions in guards.items():
        too_much = " OR ".join(f"EXISTS ({each})" for each in conditions)
        if op.get_bind().dialect.name == "postgresql":
            op.execute(
                f"CREATE FUNCTION sutian_{table}_within() RETURNS trigger AS $$ BEGIN "
                f"IF {too_much} THEN RAISE EXCEPTION '{WORDS}' "
                "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END $$ "
                "LANGUAGE plpgsql"
            )
            op.execute(
                f"CREATE TRIGGER {table}_within AFTER INSERT OR UPDATE ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION sutian_{table}_within()"
            )
            continue
        for verb in ("insert", "update"):
            op.execute(
                f"CREATE TRIGGER {table}_within_{verb} AFTER {verb.upper()} ON {table} "
                f"WHEN {too_much} BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
            )


def downgrade():
    connection = op.get_bind()
    for table in ("refunds", "refund_lines"):
        if connection.dialect.name == "postgresql":
            op.execute(f"DROP TRIGGER {table}_within ON {table}")
            op.execute(f"DROP FUNCTION sutian_{table}_within()")
        else:
            for verb in ("insert", "update"):
                op.execute(f"DROP TRIGGER {table}_within_{verb}")
    append_only.release(connection, WRITTEN_ONCE)
    for table in (
        "invoice_files",
        "invoice_wishes",
        "return_slices",
        "return_addresses",
        "return_parcels",
        "refund_events",
        "refund_photos",
    ):
        op.drop_table(table)
    op.execute("UPDATE refunds SET state = 'requested' WHERE state IN ('offered', 'escalated')")
    op.execute("UPDATE refunds SET state = 'declined' WHERE state = 'withdrawn'")
    _allow(*STATE, lambda values: [value for value in values if value not in NEW_STATES])
    for table, column, _ in ADDED:
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")


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
