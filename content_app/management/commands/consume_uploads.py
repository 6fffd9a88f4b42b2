"""`manage.py consume_uploads`: starts the check of each upload as soon as S3 notifies that it has arrived."""

import logging
import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError
from django.db import close_old_connections

from content_app.services.uploads import bucket_messages
from content_app.services.uploads.s3_events import BadMessage
from content_app.services.uploads.sqs import Message, MessageQueue, QueueUnavailable
from media_pipeline.errors import StorageUnavailable

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 5
MAX_PAUSE_S = 600


class Command(BaseCommand):
    help = (
        "Reads notifications of S3 from the queue SQS_QUEUE_URL and starts the checks of the uploads that they name. "
        "Any number of these processes may run. Without one, uploads are found a little later."
    )

    requires_system_checks = ("videoflix",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="end when the queue is empty")

    def handle(self, *, once: bool, **options: Any) -> None:
        if not (settings.SQS_QUEUE_URL and settings.S3_CONNECTION):
            raise CommandError("There is no queue to read: set USE_S3_MEDIA=1 and SQS_QUEUE_URL.")
        queue = MessageQueue(settings.SQS_QUEUE_URL, settings.S3_CONNECTION)
        self.is_ending = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.end)
        try:
            if not queue.has_dead_letter_queue():
                log.warning(
                    "the queue has no dead-letter queue: messages that are no notifications come again and again"
                )
            self.consume(queue, once=once)
        except QueueUnavailable as error:
            raise CommandError(str(error)) from error

    def end(self, *_: object) -> None:
        """Ends the loop once the messages that were received are handled."""
        self.is_ending = True

    def consume(self, queue: MessageQueue, *, once: bool) -> None:
        while not self.is_ending:
            messages = queue.receive(min(1, settings.SQS_WAIT_SECONDS) if once else settings.SQS_WAIT_SECONDS)
            close_old_connections()  # the database may have closed the connection while this process waited
            if once and not messages:
                return
            for message in messages:
                handle(queue, message)


def handle(queue: MessageQueue, message: Message) -> None:
    try:
        count = bucket_messages.handle_message(message.body)
    except BadMessage as error:
        log.warning("a message is no notification of S3 (%s); it is left to the dead-letter queue", error)
        queue.postpone(message, 0)
    except (StorageUnavailable, DatabaseError) as error:
        log.warning("a notification has to wait: %s", error)
        queue.postpone(message, min(MAX_PAUSE_S, FIRST_PAUSE_S * 2 ** min(message.times_received - 1, 10)))
    else:
        queue.delete(message)
        if count:
            log.info("%d upload(s) arrived", count)
