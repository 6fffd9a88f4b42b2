"""The route that says, component by component, whether the platform works."""

from django.core.cache import cache
from django.db import Error as DatabaseError
from django.db import connection
from drf_spectacular.utils import extend_schema
from redis.exceptions import RedisError
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from content_app import queue
from content_app.services.storage.stores import get_store
from media_pipeline.errors import StorageUnavailable

# Nothing can be shown without these two; without the cache or the queue people still sign in and watch.
REQUIRED = ("database", "storage")


class Health(serializers.Serializer[None]):
    status = serializers.ChoiceField(choices=["ok", "degraded", "down"])
    components = serializers.DictField(child=serializers.ChoiceField(choices=["ok", "down"]))


class HealthView(APIView):
    # A client with a stale cookie gets an answer too.
    authentication_classes = ()
    throttle_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(responses={200: Health, 503: Health}, tags=["health"])
    def get(self, request: Request) -> Response:
        """The state of each component; 503 when the database or the storage is down."""
        components = {
            "database": is_database_up(),
            "cache": is_cache_up(),
            "queue": queue.ping(),
            "storage": is_storage_up(),
        }
        is_down = not all(components[name] for name in REQUIRED)
        body = {
            "status": "down" if is_down else "ok" if all(components.values()) else "degraded",
            "components": {name: "ok" if is_up else "down" for name, is_up in components.items()},
        }
        return Response(body, status=503 if is_down else 200, headers={"Cache-Control": "no-store"})


def is_database_up() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        connection.close()  # wait_for_services asks again, and a broken connection would fail each time
        return False
    return True


def is_cache_up() -> bool:
    try:
        cache.set("health", "ok", timeout=10)
        return bool(cache.get("health") == "ok")
    except RedisError:
        return False


def is_storage_up() -> bool:
    try:
        get_store().check()
    except StorageUnavailable:
        return False
    return True
