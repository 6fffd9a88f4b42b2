"""`manage.py setup_bucket`: configures the buckets for the platform; safe to repeat."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from content_app.services.checkup import page_origins
from content_app.services.storage.stores import bucket_store
from media_pipeline.errors import StorageUnavailable
from media_pipeline.storage import s3_documents


class Command(BaseCommand):
    help = (
        "Writes to each bucket: CORS for the site's pages, a lifecycle rule for unfinished uploads, and a block on "
        "public access. Run it with keys that own the buckets; the platform needs only what --print-policy prints."
    )

    requires_system_checks = ("videoflix",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--create", action="store_true", help="create buckets that do not exist")
        add("--principal", default="", metavar="ARN", help="write a bucket policy that lets this user or role in")
        add("--print-policy", action="store_true", help="print what the platform's keys need; change nothing")

    def handle(self, *, create: bool, principal: str, print_policy: bool, **options: Any) -> None:
        store = bucket_store()
        if store is None:
            raise CommandError("Media lie in MEDIA_ROOT: set USE_S3_MEDIA=1 and AWS_STORAGE_BUCKET_NAME first.")
        if print_policy:
            partition = s3_documents.partition_of(store.connection.region)
            policy = s3_documents.least_policy(store.buckets.names, partition=partition, principal=principal)
            self.stdout.write(json.dumps(policy, indent=2))
            return
        # Imported here, because only installations with a bucket have boto3; see services.storage.stores.
        from media_pipeline.storage import s3_setup

        try:
            for bucket in store.buckets.names:
                if create and s3_setup.create_bucket(store, bucket):
                    self.stdout.write(f"{bucket}: made.")
                s3_setup.set_up(store, bucket, origins=page_origins(), principal=principal, say=self.stdout.write)
        except StorageUnavailable as error:
            raise CommandError(error.detail or error.sentence) from error
        if not principal:
            self.stdout.write("The policy for the platform's own keys: manage.py setup_bucket --print-policy")
