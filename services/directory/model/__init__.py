"""The directory's tables, one in each module."""

from services.directory.model.agent import AgentRow
from services.directory.model.agent_channel import AgentChannelRow
from services.directory.model.api_token import ApiTokenRow
from services.directory.model.base import SCHEMA, Base
from services.directory.model.channel_connection import ChannelConnectionRow
from services.directory.model.installation import InstallationRow
from services.directory.model.limit import LimitRow
from services.directory.model.partner import PartnerRow
from services.directory.model.person import PersonRow
from services.directory.model.quota import QuotaRow
from services.directory.model.reaction_rule import ReactionRuleRow
from services.directory.model.revision import RevisionRow
from services.directory.model.tenant import TenantRow
from services.directory.model.tool import ToolRow

__all__ = [
    "SCHEMA",
    "AgentChannelRow",
    "AgentRow",
    "ApiTokenRow",
    "Base",
    "ChannelConnectionRow",
    "InstallationRow",
    "LimitRow",
    "PartnerRow",
    "PersonRow",
    "QuotaRow",
    "ReactionRuleRow",
    "RevisionRow",
    "TenantRow",
    "ToolRow",
]
