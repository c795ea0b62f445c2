from subscriptions.views.import_people import confirm_import, import_page
from subscriptions.views.install import contact_center, install_page
from subscriptions.views.numbers import phone_numbers
from subscriptions.views.subscription import confirm, new_total, subscription
from subscriptions.views.users import add_user, users

__all__ = [
    "add_user",
    "confirm",
    "confirm_import",
    "contact_center",
    "import_page",
    "install_page",
    "new_total",
    "phone_numbers",
    "subscription",
    "users",
]
