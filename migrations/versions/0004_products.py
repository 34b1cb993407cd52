"""products: versions, photos, agreed and tiered prices, prices to compare with"""

import sqlalchemy as sa
from alembic import op

from kernel import append_only


revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WRITTEN_ONCE = ["list_prices", "pack_prices", "price_measures", "reference_prices"]
STATES = "'draft', 'in_review', 'on_sale', 'off_sale'"
MORE_STATES = f"{STATES}, 'ended'"
OFF_REASONS = "'own_wish', 'sold_out', 'season', 'certificate', 'rule_broken'"
# The same buyers: the same organisation, or the same kind of unit.
OVERLAP = (
    "SELECT 1 FROM price_lists other WHERE other.id <> {id} "
    "AND other.supplier_id = NEW.supplier_id "
    "AND (other.organisation_id = NEW.organisation_id OR other.audience = NEW.audience) "
    "AND other.valid_from <= NEW.valid_to AND other.valid_to >= NEW.valid_from"
)


def upgrade():
    op.create_table(
        "pictures",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("width", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("height", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("renditions", sa.JSON(), nullable=False),
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
        sa.ForeignKeyConstraint(["made_by_id"], ["users.id"], name=op.f("fk_pictures_made_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pictures")),
    )
    op.create_table(
        "price_lists",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("agreement", sa.String(length=60), nullable=False),
        sa.Column(
            "organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "audience",
            sa.Enum(
                "unit",
                "office",
                "school",
                "hospital",
                "institution",
                name="audience",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
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
            "(organisation_id IS NULL) <> (audience IS NULL)", name=op.f("ck_price_lists_addressee")
        ),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_price_lists_validity")),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_price_lists_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_price_lists_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_price_lists_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_lists")),
    )
    op.create_index(
        op.f("ix_price_lists_organisation_id"), "price_lists", ["organisation_id"], unique=False
    )
    op.create_index(
        "ix_price_lists_supplier_id", "price_lists", ["supplier_id", "valid_from"], unique=False
    )
    op.create_table(
        "price_measures",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("text", sa.String(length=200), nullable=False),
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
            ["made_by_id"], ["users.id"], name=op.f("fk_price_measures_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_price_measures_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_measures")),
    )
    op.create_index(
        op.f("ix_price_measures_product_id"), "price_measures", ["product_id"], unique=False
    )
    op.create_table(
        "product_photos",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "picture_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("alt_zh", sa.String(length=80), nullable=False),
        sa.Column("alt_en", sa.String(length=120), nullable=False),
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
            ["made_by_id"], ["users.id"], name=op.f("fk_product_photos_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["picture_id"], ["pictures.id"], name=op.f("fk_product_photos_picture_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_product_photos_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_photos")),
        sa.UniqueConstraint(
            "product_id", "position", name=op.f("uq_product_photos_product_id_position")
        ),
    )
    op.create_index(
        op.f("ix_product_photos_product_id"), "product_photos", ["product_id"], unique=False
    )
    op.create_table(
        "product_versions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "waiting",
                "admitted",
                "returned",
                "withdrawn",
                name="versionstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("edition", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "submitted_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("reject_reasons", sa.JSON(), nullable=False),
        sa.Column("remark", sa.String(length=300), nullable=False),
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
            ["decided_by_id"], ["users.id"], name=op.f("fk_product_versions_decided_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_product_versions_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_product_versions_product_id")
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by_id"], ["users.id"], name=op.f("fk_product_versions_submitted_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_versions")),
        sa.UniqueConstraint(
            "product_id", "number", name=op.f("uq_product_versions_product_id_number")
        ),
    )
    op.create_index(
        "ix_product_versions_open",
        "product_versions",
        ["product_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('draft', 'waiting')"),
        postgresql_where=sa.text("state IN ('draft', 'waiting')"),
    )
    op.create_index(
        "ix_product_versions_state", "product_versions", ["state", "submitted_at"], unique=False
    )
    op.create_table(
        "reference_prices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "source",
            sa.Enum(
                "wholesale",
                "supermarket",
                "neighbours",
                name="referencesource",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("place", sa.String(length=60), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False),
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
        sa.CheckConstraint("unit_price > 0", name=op.f("ck_reference_prices_price_positive")),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_reference_prices_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_reference_prices_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reference_prices")),
        sa.UniqueConstraint(
            "product_id",
            "source",
            "place",
            "seen_on",
            "unit_price",
            name="uq_reference_prices_seen",
        ),
    )
    op.create_table(
        "list_prices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "price_list_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("pack_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
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
        sa.CheckConstraint("unit_price > 0", name=op.f("ck_list_prices_price_positive")),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_list_prices_made_by_id")
        ),
        sa.ForeignKeyConstraint(["pack_id"], ["packs.id"], name=op.f("fk_list_prices_pack_id")),
        sa.ForeignKeyConstraint(
            ["price_list_id"], ["price_lists.id"], name=op.f("fk_list_prices_price_list_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_prices")),
        sa.UniqueConstraint(
            "price_list_id", "pack_id", name=op.f("uq_list_prices_price_list_id_pack_id")
        ),
    )
    op.create_index(op.f("ix_list_prices_pack_id"), "list_prices", ["pack_id"], unique=False)
    op.create_table(
        "pack_prices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pack_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("price_was", sa.BigInteger(), nullable=True),
        sa.Column("unit_price", sa.BigInteger(), nullable=True),
        sa.Column("unit_price_was", sa.BigInteger(), nullable=True),
        sa.Column("steps", sa.JSON(), nullable=False),
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
            ["made_by_id"], ["users.id"], name=op.f("fk_pack_prices_made_by_id")
        ),
        sa.ForeignKeyConstraint(["pack_id"], ["packs.id"], name=op.f("fk_pack_prices_pack_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pack_prices")),
    )
    op.create_index(op.f("ix_pack_prices_pack_id"), "pack_prices", ["pack_id"], unique=False)

    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    whole = "INTEGER" if sqlite else "BIGINT"
    # Plain statements: rebuilding `products` would take its search triggers away on SQLite.
    op.execute(
        f"ALTER TABLE order_lines ADD COLUMN price_list_id {whole} "
        "CONSTRAINT fk_order_lines_price_list_id REFERENCES price_lists (id)"
    )
    op.execute("ALTER TABLE packs ADD COLUMN steps JSON NOT NULL DEFAULT '[]'")
    op.execute(f"ALTER TABLE policies ADD COLUMN price_band_bp {whole} NOT NULL DEFAULT 1500")
    op.execute(
        "ALTER TABLE products ADD COLUMN off_reason VARCHAR(32) "
        f"CONSTRAINT ck_products_offreason CHECK (off_reason IN ({OFF_REASONS}))"
    )
    op.execute("ALTER TABLE products ADD COLUMN sold_from DATE")
    op.execute("ALTER TABLE products ADD COLUMN sold_to DATE")
    op.execute("ALTER TABLE products ADD COLUMN gallery JSON NOT NULL DEFAULT '[]'")
    _states(connection, STATES, MORE_STATES)
    append_only.protect(connection, WRITTEN_ONCE)
    _refuse_overlaps(connection)


def _states(connection, before, after):
    """What `products.state` may be. SQLite cannot alter a CHECK; its documentation names editing
    the schema text as the way for changes that leave the rows as they are."""
    if connection.dialect.name == "postgresql":
        op.execute("ALTER TABLE products DROP CONSTRAINT ck_products_productstate")
        op.execute(
            "ALTER TABLE products ADD CONSTRAINT ck_products_productstate "
            f"CHECK (state IN ({after}))"
        )
        return
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'products'",
        (f"CHECK (state IN ({before}))", f"CHECK (state IN ({after}))"),
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _refuse_overlaps(connection):
    if connection.dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION sutian_price_lists_apart() RETURNS trigger AS $$ BEGIN "
            f"IF EXISTS ({OVERLAP.format(id='NEW.id')}) THEN "
            "RAISE EXCEPTION 'price lists for the same buyers overlap' "
            "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$ "
            "LANGUAGE plpgsql"
        )
        op.execute(
            "CREATE TRIGGER price_lists_apart BEFORE INSERT OR UPDATE ON price_lists "
            "FOR EACH ROW EXECUTE FUNCTION sutian_price_lists_apart()"
        )
        return
    # An inserted row has no id yet before it is written.
    for verb, own in (("insert", "-1"), ("update", "NEW.id")):
        op.execute(
            f"CREATE TRIGGER price_lists_apart_{verb} BEFORE {verb.upper()} ON price_lists "
            f"WHEN EXISTS ({OVERLAP.format(id=own)}) "
            "BEGIN SELECT RAISE(ABORT, 'price lists for the same buyers overlap'); END"
        )


def downgrade():
    connection = op.get_bind()
    append_only.release(connection, WRITTEN_ONCE)
    op.execute("UPDATE products SET state = 'off_sale' WHERE state = 'ended'")
    _states(connection, MORE_STATES, STATES)
    if connection.dialect.name == "postgresql":
        op.execute("DROP TRIGGER price_lists_apart ON price_lists")
        op.execute("DROP FUNCTION sutian_price_lists_apart()")
    for table, column in (
        ("products", "gallery"),
        ("products", "sold_to"),
        ("products", "sold_from"),
        ("products", "off_reason"),
        ("policies", "price_band_bp"),
        ("packs", "steps"),
    ):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    with op.batch_alter_table("order_lines") as batch_op:
        batch_op.drop_column("price_list_id")
    for table in (
        "pack_prices",
        "list_prices",
        "reference_prices",
        "product_versions",
        "product_photos",
        "price_measures",
        "price_lists",
        "pictures",
    ):
        op.drop_table(table)
