"""The story of one account, played on the terminal. Every result that is shown is read back from the database."""

from collections.abc import Callable

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError
from django.db import IntegrityError, connection, transaction
from rich.console import Console
from rich.table import Table
from rich.text import Text

from accounts.models import NumberAssignment, Refusal, ServiceUser
from core.guards import sentence_of
from core.refusals import reasons_of
from demo.provider import Provider, buy, staff
from onboarding.actions import activate
from onboarding.models import Onboarding
from onboarding.rules import SEAT_LIMIT
from subscriptions.actions import assign_number, install
from subscriptions.catalogue import contact_center_of, held_by
from subscriptions.kinds import SWITCHED, ItemKind
from subscriptions.models import Holding, Item

UNDO = (
    "UPDATE onboarding_onboarding SET activated_at = NULL, activated_by_id = NULL, activated_from = '', reason = '' "
    "WHERE account_id = {}"
)


class Storyteller:
    """Performs the steps of the story, and shows the result of each."""

    def __init__(self, console: Console, provider: Provider) -> None:
        self.console = console
        self.account = provider.acme
        self.provider = provider
        self.steps = 0

    def tell(self) -> None:
        """Take the account from its install through onboarding and activation to its first purchase as an active one.

        Raises CommandError if something succeeds that must be refused.
        """
        account, olivia, tom = self.account, self.provider.olivia, self.provider.onboarding_member
        self.console.rule(Text(f"The story of {account}", style="bold"), align="left")

        self.step(f"{olivia}, its owner, installs Contact Center Pro: onboarding mode is on.")
        install(account, edition="cc-pro", by=olivia)
        self.show_held()

        self.step(f"She buys {SEAT_LIMIT} seats, as many as the mode allows.")
        buy(account, olivia, seats=SEAT_LIMIT)
        self.show_held()

        self.step("She asks for one more seat and a package of 500 minutes, and is refused:")
        self.refused(lambda: buy(account, olivia, seats=SEAT_LIMIT + 1, package="tf-500"))

        self.step("She enables a channel and an add-on and takes more storage, without a limit and free of charge.")
        buy(
            account,
            olivia,
            channels=frozenset({"channel-voice", "channel-chat"}),
            addons=frozenset({"addon-wfm"}),
            storage="storage-100",
        )
        self.show_held()

        self.step("She assigns Contact Center to people, and a toll-free number to it.")
        staff(account, olivia, "Grace Hall", "Henry Cole", "Iris Webb", "Jack Frost")
        assign_number(account, self.provider.toll_free, by=olivia)
        self.show_assigned()

        self.step("She tries to end the onboarding herself, which is refused:")
        self.refused(lambda: activate(account, by=olivia, reason="I am ready"))

        self.step(f"{tom}, of the Onboarding team, activates the account, permanently.")
        activate(account, by=tom, reason="Number tested and agents trained")
        self.show_mode()

        self.step("She buys 25 seats and 2,500 toll-free minutes. From today, everything the account holds is charged.")
        buy(account, olivia, seats=25, package="tf-2500")
        self.show_held()

        self.step("Somebody with the database's password tries to undo the activation with raw SQL:")
        self.undo_by_sql()
        self.show_mode()
        self.show_ledger()

    def step(self, text: str) -> None:
        self.steps += 1
        self.console.print()
        self._print(Text(f"{self.steps}.", style="bold cyan"), Text(text, style="bold"))

    def say(self, mark: str, text: str, style: str = "") -> None:
        self._print(Text(mark, style=style), Text(text, style=style))

    def _print(self, mark: Text, text: Text) -> None:
        line = Table.grid(padding=(0, 1))
        line.add_column(width=3, justify="right")
        line.add_row(mark, text)
        self.console.print(line)

    def refused(self, attempt: Callable[[], object]) -> None:
        """Make an attempt that must be refused, and show the refusals that were recorded."""
        try:
            attempt()
        except (ValidationError, PermissionDenied) as refusal:
            reasons = len(list(reasons_of(refusal))) if isinstance(refusal, ValidationError) else 1
            for row in reversed(Refusal.objects.filter(account=self.account)[:reasons]):
                self.say("✗", f"{row.message}", "red")
            return
        raise CommandError("The story went wrong: what onboarding mode must refuse was done.")

    def undo_by_sql(self) -> None:
        statement = UNDO.format(self.account.pk)
        self.say("", statement, "dim")
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
        except IntegrityError as error:
            sentence = sentence_of(error)
            if sentence is None:
                raise
            self.say("✗", f"{str(error).splitlines()[0]} (guard {sentence.guard})", "red")
            self.say("✗", f"{sentence.text}", "red")
            return
        raise CommandError("The story went wrong: the database let an activation be undone.")

    def show_held(self) -> None:
        center = contact_center_of(self.account)
        held = Item.objects.filter(sku__in=held_by(center).switched_on)
        parts = [
            f"{center.edition}: {center.seats} seats",
            *(", ".join(item.name for item in held.of_kind(kind.kind)) for kind in SWITCHED),
            str(center.storage),
            str(center.package),
        ]
        self.say("✓", " · ".join(filter(None, parts)), "green")

    def show_assigned(self) -> None:
        people = ServiceUser.objects.filter(account=self.account).with_contact_center()
        roles = ", ".join(f"{person} ({person.get_contact_center_role_display()})" for person in people)
        numbers = NumberAssignment.objects.current().filter(account=self.account).select_related("number")
        self.say("✓", f"{roles}; {', '.join(str(row.number) for row in numbers)}", "green")

    def show_mode(self) -> None:
        mode = Onboarding.objects.select_related("account", "activated_by").get(account=self.account)
        if mode.activated_at is None:
            raise CommandError("The story went wrong: the account is not active.")
        at = mode.activated_at.astimezone(self.account.zone)
        self.say("✓", f"Active since {at:%Y-%m-%d %H:%M %Z}, by {mode.activated_by}: {mode.reason}", "green")

    def show_ledger(self) -> None:
        table = Table(
            "Held", "Item", "Quantity", "From", title="The ledger, from which it is billed", title_justify="left"
        )
        open_rows = Holding.objects.open().filter(account=self.account).select_related("item")
        for row in sorted(open_rows, key=lambda row: (ItemKind.values.index(row.item.kind), row.item_id)):
            table.add_row(row.item.get_kind_display(), row.item.name, str(row.quantity), str(row.period.lower))
        self.console.print()
        self.console.print(table)
