"""What AgentDojo's tools declare of themselves: written by reading each tool, not the tasks.

A tool's results are untrusted where somebody other than the user or the operator can have written
them, and private where they are the user's. A tool has a consequence where it changes something
that others see or that money, access or plans hang on. An argument is left out of `sensitive` only
where its worst value is harmless to anybody, given that the others are as planned.
"""

from collections.abc import Mapping

from aios.tools.base import Terms, Touch

OWNER = "the user"
DIARY = (Touch("calendar", "write"),)
DRIVE = (Touch("drive", "write"),)
ACCOUNT = (Touch("account", "write"),)

USER, MAILBOX, DIARY_SEEN, DRIVE_SEEN, BANK, OPINIONS, ROOMS, CITY = (
    (Touch(one, "read"),)
    for one in ("user", "mail", "calendar", "drive", "bank", "reviews", "chat", "directory")
)

TRUSTED = Terms(touches=CITY)  # tells what the operator's own directory says, or nothing
OWN = Terms(touches=USER, readers=(OWNER,))  # the user's own word, and nobody else's business
MAIL = Terms(touches=MAILBOX, source="mail", readers=(OWNER,))
# Invitations come from anybody.
CALENDAR = Terms(touches=DIARY_SEEN, source="calendar", readers=(OWNER,))
FILES = Terms(touches=DRIVE_SEEN, source="drive", readers=(OWNER,))  # others share files into it
# Payers write the subjects.
STATEMENTS = Terms(touches=BANK, source="bank statements", readers=(OWNER,))
REVIEWS = Terms(touches=OPINIONS, source="reviews")
CHAT = Terms(touches=ROOMS, source="chat", readers=("the workspace",))
WEB = Terms(source="web", outside=True)  # the address goes out with the request

SEND_EMAIL = Terms(
    outside=True, recipients=("recipients", "cc", "bcc"), source="mail", readers=(OWNER,)
)
INVITING = Terms(  # whoever takes part gets mail of it
    outside=True, recipients=("participants",), touches=DIARY, source="calendar", readers=(OWNER,)
)
BOOKING = Terms(outside=True, final=True)

WORKSPACE: Mapping[str, Terms] = {
    "send_email": SEND_EMAIL,
    "delete_email": Terms(final=True),
    "get_unread_emails": MAIL,
    "get_sent_emails": MAIL,
    "get_received_emails": MAIL,
    "get_draft_emails": MAIL,
    "search_emails": MAIL,
    "search_contacts_by_name": MAIL,  # whoever writes becomes a contact
    "search_contacts_by_email": MAIL,
    "get_current_day": TRUSTED,
    "search_calendar_events": CALENDAR,
    "get_day_calendar_events": CALENDAR,
    "create_calendar_event": INVITING,
    "cancel_calendar_event": INVITING,
    "reschedule_calendar_event": INVITING,
    "add_calendar_event_participants": INVITING,
    # What is added bears the drive's label when it is read again.
    "append_to_file": Terms(
        touches=DRIVE, sensitive=("file_id",), source="drive", readers=(OWNER,)
    ),
    "search_files_by_filename": FILES,
    "create_file": Terms(touches=DRIVE, sensitive=("filename",), source="drive", readers=(OWNER,)),
    "delete_file": Terms(final=True, source="drive", readers=(OWNER,)),
    "get_file_by_id": FILES,
    "list_files": FILES,
    "share_file": Terms(outside=True, recipients=("email",), source="drive", readers=(OWNER,)),
    "search_files": FILES,
}
TRAVEL: Mapping[str, Terms] = {
    "get_user_information": OWN,
    "get_all_hotels_in_city": TRUSTED,
    "get_hotels_prices": TRUSTED,
    "get_rating_reviews_for_hotels": REVIEWS,
    "get_hotels_address": TRUSTED,
    "get_all_restaurants_in_city": TRUSTED,
    "get_cuisine_type_for_restaurants": TRUSTED,
    "get_restaurants_address": TRUSTED,
    "get_rating_reviews_for_restaurants": REVIEWS,
    "get_dietary_restrictions_for_all_restaurants": TRUSTED,
    "get_contact_information_for_restaurants": TRUSTED,
    "get_price_for_restaurants": TRUSTED,
    "check_restaurant_opening_hours": TRUSTED,
    "get_all_car_rental_companies_in_city": TRUSTED,
    "get_car_types_available": TRUSTED,
    "get_rating_reviews_for_car_rental": REVIEWS,
    "get_car_fuel_options": TRUSTED,
    "get_car_rental_address": TRUSTED,
    "get_car_price_per_day": TRUSTED,
    "create_calendar_event": INVITING,
    "search_calendar_events": CALENDAR,
    "get_day_calendar_events": CALENDAR,
    "cancel_calendar_event": INVITING,
    "reserve_hotel": BOOKING,
    "reserve_car_rental": BOOKING,
    "reserve_restaurant": BOOKING,
    "get_flight_information": TRUSTED,
    "send_email": SEND_EMAIL,
}
# Of a payment the recipient reads the subject, and the day does no harm: whom and how much does.
PAID = ("recipient", "amount")
BANKING: Mapping[str, Terms] = {
    "get_iban": OWN,
    "send_money": Terms(outside=True, final=True, recipients=("recipient",), sensitive=PAID),
    "schedule_transaction": Terms(
        outside=True, recipients=("recipient",), sensitive=(*PAID, "recurring")
    ),
    "update_scheduled_transaction": Terms(
        outside=True, recipients=("recipient",), sensitive=("id", *PAID, "recurring")
    ),
    "get_balance": OWN,
    "get_most_recent_transactions": STATEMENTS,
    "get_scheduled_transactions": STATEMENTS,
    "read_file": FILES,
    "get_user_info": OWN,
    "update_password": Terms(final=True, touches=ACCOUNT),
    "update_user_info": Terms(touches=ACCOUNT, readers=(OWNER,)),
}
SLACK: Mapping[str, Terms] = {
    "get_channels": CHAT,
    "add_user_to_channel": Terms(outside=True),
    "read_channel_messages": CHAT,
    "read_inbox": CHAT,
    "send_direct_message": Terms(outside=True, recipients=("recipient",)),
    "send_channel_message": Terms(outside=True, recipients=("channel",)),
    "get_users_in_channel": CHAT,
    "invite_user_to_slack": Terms(outside=True, recipients=("user_email",)),
    "remove_user_from_slack": Terms(outside=True, final=True),
    "get_webpage": WEB,
    "post_webpage": Terms(outside=True),
}
TERMS: Mapping[str, Mapping[str, Terms]] = {
    "workspace": WORKSPACE,
    "travel": TRAVEL,
    "banking": BANKING,
    "slack": SLACK,
}
