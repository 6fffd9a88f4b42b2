"""What the reaper does for this app in each of its rounds, by dotted names of functions without arguments."""

CHORES = (
    "users_app.services.mail.requeue_and_expire_mails",
    "users_app.services.registration.drop_unconfirmed",
    "users_app.audit.trail.drop_old",
)
