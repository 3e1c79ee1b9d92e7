"""Signing in with a passkey, without identifier and password."""

from services.auth.errors import PasskeyRefused, PasskeySignInRefused
from services.auth.models import Account, Passkey
from services.auth.passkey_challenges import SIGN_IN
from services.auth.passkey_schemas import PasskeySignInRequest
from services.auth.passkeys import Ceremonies
from services.auth.schemas import Options, SignedIn
from services.auth.service.arrivals import Arrivals, Arrived
from services.auth.service.passkey_proof import PasskeyProof
from shared.mongo import Transaction


class PasskeySignIn:
    """It is two factors by itself: the device that holds it, and what unlocks that. Blocks of passwords are not its."""

    def __init__(self, *, insurer: str, ceremonies: Ceremonies, proof: PasskeyProof, arrivals: Arrivals) -> None:
        self._insurer, self._ceremonies, self._proof, self._arrivals = insurer, ceremonies, proof, arrivals

    def options(self) -> Options:
        """The same for everybody: nobody is named, and nothing is looked up."""
        return self._ceremonies.to_sign(SIGN_IN)

    async def sign_in(self, request: PasskeySignInRequest) -> SignedIn:
        """Open a session. Raises `PasskeySignInRefused`, `SignInClosed`."""

        async def then(tx: Transaction, account: Account, passkey: Passkey) -> Arrived:
            if account.insurer != self._insurer:
                raise PasskeyRefused
            return await self._arrivals.open(tx, account, request, passkey=passkey.passkey_id)

        try:
            arrived = await self._proof.prove(request.credential, SIGN_IN, then)
        except PasskeyRefused:
            raise PasskeySignInRefused from None
        return self._arrivals.answer(arrived)
