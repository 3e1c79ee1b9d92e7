"""The use cases of the second factor, put together."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from services.auth.service.authenticator import Authenticator
from services.auth.service.lost_second_factor import LostSecondFactor
from services.auth.service.new_devices import NewDevices
from services.auth.service.password_resets import PasswordResets
from services.auth.service.second_factor import SecondFactorSignIn
from services.auth.service.sessions import Sessions
from services.auth.store import Store
from services.auth.vault import Vault
from shared.mongo import Mongo


@dataclass(frozen=True, slots=True)
class Factors:
    """`sign_in`: its second half. `authenticator`: the member's own app. `lost`: an operator's order."""

    sign_in: SecondFactorSignIn
    authenticator: Authenticator
    lost: LostSecondFactor

    @classmethod
    def of(
        cls,
        *,
        mongo: Mongo,
        store: Store,
        vault: Vault,
        sessions: Sessions,
        new_devices: NewDevices,
        password_resets: PasswordResets,
        issuer: str,
        clock: Callable[[], datetime],
    ) -> Self:
        """`issuer`: what apps call us."""
        return cls(
            SecondFactorSignIn(
                mongo=mongo, store=store, vault=vault, sessions=sessions, new_devices=new_devices, clock=clock
            ),
            Authenticator(mongo=mongo, store=store, vault=vault, sessions=sessions, issuer=issuer, clock=clock),
            LostSecondFactor(store=store, sessions=sessions, password_resets=password_resets, clock=clock),
        )
