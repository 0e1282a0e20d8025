"""Whose eyes see the page."""

from dataclasses import dataclass
from datetime import datetime

from services.directory.holding import Known
from services.supervisor.adapters.rights import rights_of
from services.supervisor.adapters.sessions import Session
from services.supervisor.decisions.deciding import Rights
from services.supervisor.decisions.people import LOCAL, LOCAL_WORDS


@dataclass(frozen=True)
class Viewer:
    """Somebody who is signed in, and whose tenant's tasks they see."""

    session: Session
    tenant: Known
    form_token: str
    """What their forms carry."""
    now: datetime

    @property
    def tenant_id(self) -> str:
        """Whose tasks they see."""
        return self.tenant.tenant_id

    @property
    def user(self) -> str:
        """Who they are in what is written down."""
        return self.session.user

    @property
    def rights(self) -> Rights:
        """What people may, as the directory says it now."""
        return rights_of(self.tenant)

    def called(self, user: str) -> str:
        """How somebody is called before these eyes."""
        if user == LOCAL:
            return LOCAL_WORDS
        return "you" if user == self.user else user
