"""The use cases of auth, each put together with its collaborators."""

import time
from datetime import timedelta

from services.auth.api import UseCases
from services.auth.challenges import Challenges
from services.auth.common_passwords import CommonPasswords
from services.auth.lines import Lines
from services.auth.passkey_challenges import PasskeyChallenges
from services.auth.passkeys import Ceremonies
from services.auth.password_rules import PasswordRules
from services.auth.passwords import Passwords
from services.auth.refusals import Refusals
from services.auth.service.account import AccountReader
from services.auth.service.account_life import AccountLife
from services.auth.service.activation_mails import ActivationMails, LinkLimits
from services.auth.service.activity import Activity
from services.auth.service.arrivals import Arrivals
from services.auth.service.factors import Factors
from services.auth.service.identifier_change import IdentifierChange
from services.auth.service.identifiers import Identifiers
from services.auth.service.new_devices import NewDevices
from services.auth.service.own_password import OwnPassword
from services.auth.service.passkey_proof import PasskeyProof
from services.auth.service.passkey_sign_in import PasskeySignIn
from services.auth.service.passkeys import Passkeys
from services.auth.service.password_proof import PasswordProof
from services.auth.service.password_resets import PasswordResets, ResetLimits
from services.auth.service.session_list import SignedInDevices
from services.auth.service.sessions import Lifetimes, Sessions
from services.auth.service.settlement import Settlement
from services.auth.service.sign_in import SignIn
from services.auth.service.step_up import StepUp
from services.auth.service.temporary_passwords import TemporaryPasswords
from services.auth.service.unlocks import Unlocks
from services.auth.settings import AuthSettings, decoded_key
from services.auth.store import Store
from services.auth.store.attempts import Limits
from services.auth.store.security_events import Kept
from services.auth.tokens import AccessTokens, RefreshTokens
from services.auth.vault import Vault
from shared import clock
from shared.backbone import Backbone
from shared.sealing import Keyring


class Wiring:
    """The use cases, each with its collaborators."""

    def __init__(self, settings: AuthSettings, backbone: Backbone, access_tokens: AccessTokens) -> None:
        self._settings, self._backbone, self._access_tokens = settings, backbone, access_tokens
        block = timedelta(minutes=settings.sign_in_block_minutes)
        limits = Limits(settings.sign_in_max_failures, block, settings.sign_in_max_failures_per_day)
        events_kept = Kept(
            timedelta(days=settings.security_events_days), timedelta(days=settings.security_events_failures_days)
        )
        self.store = Store.of(backbone.mongo, limits, events_kept)
        self.vault = Vault(backbone.at_rest, decoded_key(settings.lookup_key.get_secret_value()))
        self.passwords = Passwords(
            memory_kib=settings.argon2_memory_kib,
            passes=settings.argon2_passes,
            lanes=settings.argon2_lanes,
            threads=settings.hashing_threads,
            max_waiting=settings.hashing_max_waiting,
        )
        challenge_key = decoded_key(settings.altcha_key.get_secret_value())
        self._challenges = Challenges(challenge_key, max_number=settings.altcha_max_number, clock=clock.now)
        self._ceremonies = Ceremonies(
            settings.portal_url, settings.brand_name, PasskeyChallenges(challenge_key, clock=clock.now)
        )
        self._passkey_proof = PasskeyProof(
            mongo=backbone.mongo, store=self.store, ceremonies=self._ceremonies, clock=clock.now
        )
        self._sealing = Keyring.from_setting(settings.sealing_keys.get_secret_value())

    def use_cases(self) -> UseCases:
        sessions, unlocks, mongo = self._sessions(), self._unlocks(), self._backbone.mongo
        proof = PasswordProof(
            mongo=mongo, store=self.store, vault=self.vault, passwords=self.passwords, clock=clock.now
        )
        accepted = self._password_rules()
        own_password = self._own_password(sessions, proof, accepted)
        settlement = self._settlement(sessions)
        password_resets = self._password_resets(sessions, own_password)
        new_devices = self._new_devices(sessions, password_resets)
        arrivals = Arrivals(store=self.store, sessions=sessions, new_devices=new_devices, clock=clock.now)
        return UseCases(
            sign_in=self._sign_in(arrivals, unlocks),
            sessions=sessions,
            session_list=SignedInDevices(mongo=mongo, store=self.store, sessions=sessions, clock=clock.now),
            new_devices=new_devices,
            step_up=self._step_up(sessions, proof),
            passkey_sign_in=self._passkey_sign_in(arrivals),
            passkeys=self._passkeys(sessions),
            factors=self._factors(sessions, new_devices, password_resets),
            identifiers=self._identifiers(sessions, own_password, settlement),
            identifier_change=IdentifierChange(
                mongo=mongo,
                store=self.store,
                settlement=settlement,
                password_resets=password_resets,
                clock=clock.now,
            ),
            own_password=own_password,
            challenges=self._challenges,
            password_resets=password_resets,
            unlocks=unlocks,
            account=AccountReader(self.vault, self.store, sessions, accepted),
            activity=Activity(self.store, sessions),
            access_tokens=self._access_tokens,
        )

    def _passkey_sign_in(self, arrivals: Arrivals) -> PasskeySignIn:
        return PasskeySignIn(
            insurer=self._settings.insurer,
            ceremonies=self._ceremonies,
            proof=self._passkey_proof,
            arrivals=arrivals,
        )

    def _password_rules(self) -> PasswordRules:
        return PasswordRules(
            min_length=self._settings.password_min_length,
            common=CommonPasswords.read(),
            brand=self._settings.brand_name,
        )

    def _own_password(self, sessions: Sessions, proof: PasswordProof, accepted: PasswordRules) -> OwnPassword:
        return OwnPassword(
            mongo=self._backbone.mongo,
            store=self.store,
            vault=self.vault,
            passwords=self.passwords,
            accepted=accepted,
            proof=proof,
            sessions=sessions,
            clock=clock.now,
        )

    def _passkeys(self, sessions: Sessions) -> Passkeys:
        return Passkeys(
            mongo=self._backbone.mongo,
            store=self.store,
            sessions=sessions,
            ceremonies=self._ceremonies,
            clock=clock.now,
        )

    def _factors(self, sessions: Sessions, new_devices: NewDevices, password_resets: PasswordResets) -> Factors:
        return Factors.of(
            mongo=self._backbone.mongo,
            store=self.store,
            vault=self.vault,
            sessions=sessions,
            new_devices=new_devices,
            password_resets=password_resets,
            issuer=self._settings.brand_name,
            clock=clock.now,
        )

    def temporary_passwords(self) -> TemporaryPasswords:
        return TemporaryPasswords(
            mongo=self._backbone.mongo,
            store=self.store,
            jobs=self._backbone.jobs,
            passwords=self.passwords,
            sealing=self._sealing,
            lives=timedelta(days=self._settings.temporary_password_days),
            clock=clock.now,
        )

    def account_life(self, sessions: Sessions) -> AccountLife:
        return AccountLife(
            mongo=self._backbone.mongo,
            store=self.store,
            jobs=self._backbone.jobs,
            sessions=sessions,
            kept_months=self._settings.kept_months_after_end,
            clock=clock.now,
        )

    def _sessions(self) -> Sessions:
        settings = self._settings
        return Sessions(
            mongo=self._backbone.mongo,
            store=self.store,
            access_tokens=self._access_tokens,
            refresh_tokens=RefreshTokens(decoded_key(settings.refresh_key.get_secret_value())),
            closures=self._backbone.closures,
            lifetimes=Lifetimes(
                idle=timedelta(minutes=settings.session_idle_minutes),
                longest=timedelta(hours=settings.session_max_hours),
                longest_trusted=timedelta(days=settings.trusted_session_max_days),
                per_member=settings.sessions_per_member,
            ),
            kept_months=settings.kept_months_after_end,
            clock=clock.now,
        )

    def _new_devices(self, sessions: Sessions, password_resets: PasswordResets) -> NewDevices:
        return NewDevices(
            mongo=self._backbone.mongo,
            store=self.store,
            sealing=self._sealing,
            sessions=sessions,
            password_resets=password_resets,
            link_lives=timedelta(days=self._settings.close_link_days),
            clock=clock.now,
        )

    def _unlocks(self) -> Unlocks:
        return Unlocks(
            mongo=self._backbone.mongo,
            store=self.store,
            sealing=self._sealing,
            jobs=self._backbone.jobs,
            link_lives=timedelta(hours=self._settings.unlock_link_hours),
            clock=clock.now,
        )

    def _sign_in(self, arrivals: Arrivals, unlocks: Unlocks) -> SignIn:
        return SignIn(
            insurer=self._settings.insurer,
            mongo=self._backbone.mongo,
            store=self.store,
            vault=self.vault,
            passwords=self.passwords,
            arrivals=arrivals,
            unlocks=unlocks,
            refusals=Refusals(time.monotonic),
            lines=Lines(),
            clock=clock.now,
        )

    def _password_resets(self, sessions: Sessions, own_password: OwnPassword) -> PasswordResets:
        settings = self._settings
        return PasswordResets(
            insurer=settings.insurer,
            mongo=self._backbone.mongo,
            store=self.store,
            vault=self.vault,
            sealing=self._sealing,
            jobs=self._backbone.jobs,
            sessions=sessions,
            own_password=own_password,
            challenges=self._challenges,
            limits=ResetLimits(
                link_lives=timedelta(minutes=settings.reset_link_minutes),
                between_mails=timedelta(minutes=settings.reset_mail_pause_minutes),
                between_letters=timedelta(days=settings.letter_pause_days),
                without_challenge=settings.resets_without_challenge_per_hour,
            ),
            clock=clock.now,
        )

    def _step_up(self, sessions: Sessions, proof: PasswordProof) -> StepUp:
        return StepUp(
            store=self.store,
            sessions=sessions,
            proof=proof,
            passkey_proof=self._passkey_proof,
            ceremonies=self._ceremonies,
            lasts=timedelta(minutes=self._settings.step_up_minutes),
            clock=clock.now,
        )

    def _settlement(self, sessions: Sessions) -> Settlement:
        return Settlement(
            store=self.store,
            vault=self.vault,
            sealing=self._sealing,
            sessions=sessions,
            undo_lives=timedelta(days=self._settings.undo_link_days),
            clock=clock.now,
        )

    def _identifiers(self, sessions: Sessions, own_password: OwnPassword, settlement: Settlement) -> Identifiers:
        settings = self._settings
        limits = LinkLimits(
            lives=timedelta(hours=settings.activation_link_hours),
            mails_per_hour=settings.activation_mails_per_hour,
            mails_per_day=settings.activation_mails_per_day,
        )
        mails = ActivationMails(
            store=self.store, vault=self.vault, sealing=self._sealing, limits=limits, clock=clock.now
        )
        return Identifiers(
            mongo=self._backbone.mongo,
            store=self.store,
            vault=self.vault,
            sessions=sessions,
            own_password=own_password,
            mails=mails,
            settlement=settlement,
            clock=clock.now,
        )
