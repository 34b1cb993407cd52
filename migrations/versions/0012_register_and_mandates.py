"""entries of the register are changed under review; suppliers sell for others with a mandate"""

import re

import sqlalchemy as sa
from alembic import op

from kernel import append_only

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

WRITTEN_ONCE = ["mandated_products"]

# Values that join those a column may hold: (table, constraint, column) → new ones.
WIDER = {
    ("suppliers", "ck_suppliers_supplierkind", "kind"): ("trader",),
    ("products", "ck_products_offreason", "off_reason"): ("mandate",),
}

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _made():
    """Who wrote a row, when, through which door."""
    return [
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", KEY, nullable=True),
        sa.Column(
            "door",
            _words("door", "web", "api", "import", "command", "worker", "webhook"),
            nullable=False,
        ),
        sa.Column("program", sa.String(length=40), nullable=False),
    ]


def _words(name, *values):
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _refers(table, column, target):
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade():
    op.create_table(
        "register_changes",
        sa.Column("id", KEY, nullable=False),
        sa.Column("supplier_id", KEY, nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("frozen_id", KEY, nullable=False),
        sa.Column("file_id", KEY, nullable=True),
        sa.Column(
            "weight",
            _words("changeweight", "at_once", "county", "county_and_platform"),
            nullable=False,
        ),
        sa.Column(
            "state",
            _words(
                "changestate", "at_county", "at_platform", "in_force", "refused", "taken_back"
            ),
            nullable=False,
        ),
        sa.Column("county_by_id", KEY, nullable=True),
        sa.Column("county_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("platform_by_id", KEY, nullable=True),
        sa.Column("platform_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("in_force_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", KEY, nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sentence", sa.String(length=300), nullable=False),
        *_made(),
        sa.CheckConstraint(
            "made_by_id <> county_by_id", name=op.f("ck_register_changes_county_is_somebody_else")
        ),
        sa.CheckConstraint(
            "made_by_id <> platform_by_id",
            name=op.f("ck_register_changes_platform_is_somebody_else"),
        ),
        sa.CheckConstraint(
            "county_by_id <> platform_by_id", name=op.f("ck_register_changes_two_reviewers")
        ),
        sa.CheckConstraint(
            "(state = 'in_force') = (in_force_at IS NOT NULL)",
            name=op.f("ck_register_changes_in_force"),
        ),
        sa.CheckConstraint(
            "weight <> 'county_and_platform' OR file_id IS NOT NULL",
            name=op.f("ck_register_changes_proof"),
        ),
        _refers("register_changes", "county_by_id", "users"),
        _refers("register_changes", "ended_by_id", "users"),
        _refers("register_changes", "file_id", "stored_files"),
        _refers("register_changes", "frozen_id", "frozen_versions"),
        _refers("register_changes", "made_by_id", "users"),
        _refers("register_changes", "platform_by_id", "users"),
        _refers("register_changes", "supplier_id", "suppliers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_changes")),
        sa.UniqueConstraint("frozen_id", name=op.f("uq_register_changes_frozen_id")),
        sa.UniqueConstraint("number", name=op.f("uq_register_changes_number")),
    )
    op.create_index(op.f("ix_register_changes_supplier_id"), "register_changes", ["supplier_id"])
    still_open = sa.text("state IN ('at_county', 'at_platform')")
    op.create_index(
        "uq_register_changes_open",
        "register_changes",
        ["supplier_id"],
        unique=True,
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
    op.create_table(
        "mandates",
        sa.Column("id", KEY, nullable=False),
        sa.Column("principal_id", KEY, nullable=False),
        sa.Column("agent_id", KEY, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("covers", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("file_id", KEY, nullable=False),
        sa.Column(
            "state",
            _words("mandatestate", "proposed", "agreed", "declined", "ended"),
            nullable=False,
        ),
        sa.Column("agreed_by_id", KEY, nullable=True),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", KEY, nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sentence", sa.String(length=300), nullable=False),
        *_made(),
        sa.CheckConstraint("principal_id <> agent_id", name=op.f("ck_mandates_two_suppliers")),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_mandates_validity")),
        sa.CheckConstraint("made_by_id <> agreed_by_id", name=op.f("ck_mandates_two_people")),
        sa.CheckConstraint(
            "state <> 'agreed' OR agreed_at IS NOT NULL", name=op.f("ck_mandates_agreed")
        ),
        _refers("mandates", "agent_id", "suppliers"),
        _refers("mandates", "agreed_by_id", "users"),
        _refers("mandates", "ended_by_id", "users"),
        _refers("mandates", "file_id", "stored_files"),
        _refers("mandates", "made_by_id", "users"),
        _refers("mandates", "principal_id", "suppliers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandates")),
        sa.UniqueConstraint(
            "principal_id",
            "agent_id",
            "number",
            "valid_from",
            name=op.f("uq_mandates_principal_id_agent_id_number_valid_from"),
        ),
    )
    op.create_index(op.f("ix_mandates_agent_id"), "mandates", ["agent_id"])
    op.create_table(
        "mandated_products",
        sa.Column("id", KEY, nullable=False),
        sa.Column("mandate_id", KEY, nullable=False),
        sa.Column("product_id", KEY, nullable=False),
        *_made(),
        _refers("mandated_products", "made_by_id", "users"),
        _refers("mandated_products", "mandate_id", "mandates"),
        _refers("mandated_products", "product_id", "products"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandated_products")),
        sa.UniqueConstraint(
            "mandate_id", "product_id", name=op.f("uq_mandated_products_mandate_id_product_id")
        ),
    )
    op.create_index(op.f("ix_mandated_products_product_id"), "mandated_products", ["product_id"])
    for (table, constraint, column), more in WIDER.items():
        _allow(table, constraint, column, lambda values, more=more: [*values, *more])
    append_only.protect(op.get_bind(), WRITTEN_ONCE)


def downgrade():
    append_only.release(op.get_bind(), WRITTEN_ONCE)
    # What the older schema has no word for keeps the nearest one it has.
    op.execute("UPDATE products SET off_reason = 'certificate' WHERE off_reason = 'mandate'")
    op.execute("UPDATE suppliers SET kind = 'company' WHERE kind = 'trader'")
    for (table, constraint, column), more in WIDER.items():
        _allow(
            table,
            constraint,
            column,
            lambda values, more=more: [v for v in values if v not in more],
        )
    op.drop_index(op.f("ix_mandated_products_product_id"), table_name="mandated_products")
    op.drop_table("mandated_products")
    op.drop_index(op.f("ix_mandates_agent_id"), table_name="mandates")
    op.drop_table("mandates")
    op.drop_index("uq_register_changes_open", table_name="register_changes")
    op.drop_index(op.f("ix_register_changes_supplier_id"), table_name="register_changes")
    op.drop_table("register_changes")


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
