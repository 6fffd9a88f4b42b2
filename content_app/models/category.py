"""Genres."""

import uuid
from typing import Any

from django.db import models
from django.utils.text import slugify

from content_app.models.revision import Revised, RevisedQuerySet


class Category(Revised):
    """A genre, by which the catalogue groups and filters its films."""

    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True, blank=True)
    position = models.PositiveSmallIntegerField(default=0, help_text="Lower comes first on the page.")

    objects = RevisedQuerySet.as_manager()

    class Meta:
        ordering = ("position", "name")
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.slug = self.slug or slugify(self.name)[:60] or uuid.uuid4().hex[:8]
        super().save(*args, **kwargs)
