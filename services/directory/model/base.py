"""What every table has: the schema, the names of its constraints, and the tenant that a row belongs to."""

from typing import Any, ClassVar

from sqlalchemy import ARRAY, ForeignKey, ForeignKeyConstraint, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SCHEMA = "threadline"


class Base(DeclarativeBase):
    """The directory's tables."""

    metadata = MetaData(
        schema=SCHEMA,
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ck": "%(table_name)s_%(constraint_name)s",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        },
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {str: Text, list[str]: ARRAY(Text)}


def of_an_agent() -> ForeignKeyConstraint:
    """The agent that a row names is one of the tenant's. Checked at the commit, since an agent may be written anew."""
    return ForeignKeyConstraint(
        ["tenant_id", "agent"],
        [f"{SCHEMA}.agents.tenant_id", f"{SCHEMA}.agents.id"],
        deferrable=True,
        initially="DEFERRED",
    )


class OfTenant:
    """A row that belongs to a tenant: row-level security goes by this column, and every table has it."""

    tenant_id: Mapped[str] = mapped_column(
        ForeignKey(f"{SCHEMA}.tenants.tenant_id", ondelete="CASCADE"), primary_key=True, sort_order=-1
    )
