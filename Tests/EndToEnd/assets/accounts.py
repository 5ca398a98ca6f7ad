"""The provider behind the sources: it knows which access tokens are good at this moment, and rotates refresh tokens."""

from collections.abc import Callable

from provider import Answer, Grant, Handler
from strict_provider import StrictProvider


class Accounts(StrictProvider):
    def __init__(self) -> None:
        super().__init__()
        self.live: set[str] = set()
        self.issued: list[str] = []  # every token that was ever given out
        self.lifetime: int | None = 3600  # seconds
        self.rotates = True
        self.refusing: Callable[[Handler], None] | None = None  # what refreshes are answered instead
        self.renewals: list[Grant] = []

    def takes(self, token: str) -> bool:
        return token in self.live

    def allow(self, token: str) -> str:
        """A user's own token, which nobody can refresh."""
        self.live.add(token)
        self.issued.append(token)
        return token

    def expire(self) -> None:
        """No access token is good any more, whatever was said of its lifetime."""
        self.live.clear()

    def restore(self) -> None:
        self.lifetime, self.rotates, self.refusing = 3600, True, None

    def consent(self, authorization_url: str, answer: Answer | None = None, code: str | None = None) -> Grant:
        return super().consent(authorization_url, answer or self._give, code)

    def _give(self, handler: Handler, grant: Grant) -> None:
        self._keep(grant.access_token, grant.refresh_token)
        self._refreshable[grant.refresh_token] = Grant(grant.refresh_token, "", grant.request, self._renew)
        handler.send_json(200, grant.token_response(expires_in=self.lifetime))

    def _renew(self, handler: Handler, grant: Grant) -> None:
        if self.refusing:
            return self.refusing(handler)
        self.renewals.append(grant)
        if self.rotates:
            # RFC 9700 § 4.14: the old one is at its end.
            self._refreshable.pop(grant.code, None)
            return self._give(handler, grant)
        self._keep(grant.access_token)
        self._refreshable[grant.code] = Grant(grant.code, "", grant.request, self._renew)
        handler.send_json(200, grant.token_response(expires_in=self.lifetime, refresh_token=None))

    def _keep(self, access_token: str, *others: str) -> None:
        self.live.add(access_token)
        self.issued += [access_token, *others]


def says_that_the_grant_is_gone(handler: Handler) -> None:
    handler.send_json(400, {"error": "invalid_grant"})
