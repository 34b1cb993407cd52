"""Alembic's entry: it is always called from code, with an open connection (`shop/schema.py`)."""

from alembic import context

config = context.config
connection = config.attributes["connection"]


def render_item(kind, item, autogen_context):
    """Migrations name plain types only: they must read the same when our own have moved on."""
    if kind != "type":
        return False
    return {
        "MoneyColumn": "sa.BigInteger()",
        "PriceColumn": "sa.BigInteger()",
        "Moment": "sa.DateTime(timezone=True)",
        "Sealed": "sa.LargeBinary()",
    }.get(type(item).__name__, False)


def include_object(thing, name, kind, reflected, compare_to):
    """The search index is made by hand, differently on each database."""
    return not (name or "").startswith(("product_search", "ix_products_search"))


context.configure(
    connection=connection,
    target_metadata=config.attributes["metadata"],
    render_as_batch=connection.dialect.name == "sqlite",
    render_item=render_item,
    include_object=include_object,
    compare_type=True,
    user_module_prefix="",
)
with context.begin_transaction():
    context.run_migrations()
