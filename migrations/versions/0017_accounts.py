"""accounts of citizens: codes by mail, known identities, saved addresses, employers and credits"""

import sqlalchemy as sa
from alembic import op

from kernel.crypto import keyed_hash, unseal

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

NEW = (
    "staff_credits", "employments", "employer_codes", "saved_addresses", "identities", "mail_codes",
)  # fmt: skip


def _made():
    """Who wrote a row, when, through which door."""
    doors = ("web", "api", "import", "command", "worker", "webhook")
    kind = sa.Enum(*doors, name="door", native_enum=False, create_constraint=True, length=32)
    return [
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", KEY, nullable=True),
        sa.Column("door", kind, nullable=False),
        sa.Column("program", sa.String(length=40), nullable=False),
    ]


def _refers(table, column, target):
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade():
    op.create_table(
        "mail_codes",
        sa.Column("id", KEY, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=False),
        sa.Column("email_hash", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wrong", KEY, nullable=False),
        sa.Column("proven_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("wrong >= 0", name=op.f("ck_mail_codes_wrong_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_codes")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_mail_codes_token_hash")),
    )
    op.create_index(op.f("ix_mail_codes_where"), "mail_codes", ["address", "sent_at"])
    op.create_index(op.f("ix_mail_codes_who"), "mail_codes", ["email_hash", "sent_at"])
    op.create_table(
        "identities",
        sa.Column("id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("issuer", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        *_made(),
        _refers("identities", "made_by_id", "users"),
        _refers("identities", "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identities")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_identities_issuer_subject")),
    )
    op.create_index(op.f("ix_identities_user_id"), "identities", ["user_id"])
    op.create_table(
        "saved_addresses",
        sa.Column("id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("label", sa.String(length=20), nullable=False),
        sa.Column("recipient", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.LargeBinary(), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        *_made(),
        _refers("saved_addresses", "made_by_id", "users"),
        _refers("saved_addresses", "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_addresses")),
    )
    op.create_index(op.f("ix_saved_addresses_user_id"), "saved_addresses", ["user_id"])
    op.create_index(
        op.f("uq_saved_addresses_default"),
        "saved_addresses",
        ["user_id"],
        unique=True,
        sqlite_where=sa.text("is_default"),
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "employer_codes",
        sa.Column("id", KEY, nullable=False),
        sa.Column("organisation_id", KEY, nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        *_made(),
        _refers("employer_codes", "made_by_id", "users"),
        _refers("employer_codes", "organisation_id", "organisations"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employer_codes")),
        sa.UniqueConstraint("code", name=op.f("uq_employer_codes_code")),
        sa.UniqueConstraint("organisation_id", name=op.f("uq_employer_codes_organisation_id")),
    )
    op.create_table(
        "employments",
        sa.Column("id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("organisation_id", KEY, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "asked",
                "confirmed",
                "declined",
                "withdrawn",
                "ended",
                name="employmentstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("remark", sa.LargeBinary(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", KEY, nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", KEY, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        *_made(),
        sa.CheckConstraint(
            "(state = 'ended') = (valid_to IS NOT NULL)", name=op.f("ck_employments_ended")
        ),
        sa.CheckConstraint(
            "(state IN ('confirmed', 'ended')) = (valid_from IS NOT NULL)",
            name=op.f("ck_employments_agreed"),
        ),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to >= valid_from", name=op.f("ck_employments_days")
        ),
        _refers("employments", "decided_by_id", "users"),
        _refers("employments", "ended_by_id", "users"),
        _refers("employments", "made_by_id", "users"),
        _refers("employments", "organisation_id", "organisations"),
        _refers("employments", "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employments")),
    )
    op.create_index(
        op.f("ix_employments_of_organisation"), "employments", ["organisation_id", "state"]
    )
    op.create_index(op.f("ix_employments_user_id"), "employments", ["user_id"])
    op.create_index(
        op.f("uq_employments_open"),
        "employments",
        ["user_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('asked', 'confirmed')"),
        postgresql_where=sa.text("state IN ('asked', 'confirmed')"),
    )
    op.create_table(
        "staff_credits",
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("unit_id", KEY, nullable=False),
        sa.Column("followed_to", sa.DateTime(timezone=True), nullable=False),
        *_made(),
        _refers("staff_credits", "made_by_id", "users"),
        _refers("staff_credits", "order_id", "orders"),
        _refers("staff_credits", "unit_id", "units"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_credits")),
        sa.UniqueConstraint("order_id", name=op.f("uq_staff_credits_order_id")),
    )
    op.create_index(op.f("ix_staff_credits_followed_to"), "staff_credits", ["followed_to"])
    op.create_index(op.f("ix_staff_credits_unit_id"), "staff_credits", ["unit_id"])
    op.add_column("users", sa.Column("email_proven_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("closing_on", sa.Date(), nullable=True))
    op.add_column("users", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_users_closing_on"), "users", ["closing_on"])
    op.add_column("orders", sa.Column("email_hash", sa.String(length=64), nullable=True))
    _add_employer()
    op.create_index(op.f("ix_orders_email_hash"), "orders", ["email_hash"])
    op.create_index(op.f("ix_orders_credit_organisation_id"), "orders", ["credit_organisation_id"])
    for name, kind, before in (
        ("staff_counts", sa.Boolean(), sa.true()),
        ("staff_credit_days", KEY, "90"),
    ):
        op.add_column("policies", sa.Column(name, kind, nullable=False, server_default=before))
        if op.get_bind().dialect.name == "postgresql":
            op.alter_column("policies", name, server_default=None)
    _hash_addresses()


def _add_employer():
    """SQLite cannot add a constraint, but a column with one; copying the table would lose more."""
    column = "credit_organisation_id"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"ALTER TABLE orders ADD COLUMN {column} INTEGER "
            f"CONSTRAINT fk_orders_{column} REFERENCES organisations (id)"
        )
        return
    op.add_column("orders", sa.Column(column, KEY, nullable=True))
    op.create_foreign_key(op.f(f"fk_orders_{column}"), "orders", "organisations", [column], ["id"])


def _hash_addresses():
    """Orders of before are found by their buyer's address as those of today are."""
    connection = op.get_bind()
    orders = sa.table(
        "orders",
        sa.column("id", KEY),
        sa.column("email", sa.LargeBinary),
        sa.column("email_hash", sa.String),
    )
    rows = connection.execute(
        sa.select(orders.c.id, orders.c.email).where(orders.c.email.is_not(None))
    ).all()
    for begin in range(0, len(rows), 1000):
        connection.execute(
            sa.update(orders)
            .where(orders.c.id == sa.bindparam("key"))
            .values(email_hash=sa.bindparam("hashed")),
            [
                {"key": key, "hashed": keyed_hash(unseal(bytes(email)))}
                for key, email in rows[begin : begin + 1000]
            ],
        )


def downgrade():
    for table, columns in (
        ("policies", ("staff_counts", "staff_credit_days")),
        ("orders", ("email_hash", "credit_organisation_id")),
        ("users", ("email_proven_at", "closing_on", "closed_at")),
    ):
        if table == "orders":
            op.drop_index(op.f("ix_orders_email_hash"), table_name="orders")
            op.drop_index(op.f("ix_orders_credit_organisation_id"), table_name="orders")
        if table == "users":
            op.drop_index(op.f("ix_users_closing_on"), table_name="users")
        with op.batch_alter_table(table) as batch_op:
            for name in columns:
                batch_op.drop_column(name)
    for table in NEW:
        op.drop_table(table)
