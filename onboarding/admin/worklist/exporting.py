"""The worklist as CSV."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin

from core.chunks import cut
from core.csv_files import streamed_csv
from onboarding.admin.worklist.registry import WORKLIST

EXPORTED_AT_ONCE = 1_000


class Exporting(ModelAdmin):
    """A list that can be exported as it is filtered, searched and sorted.

    The link is ours (admin/onboarding/onboarding/narrowed.html): a button of unfold's forgets what is asked for.
    """

    listed: Any

    def get_urls(self) -> list[URLPattern]:
        return [path("csv/", self.admin_site.admin_view(self.as_csv), name="onboarding_csv"), *super().get_urls()]

    def as_csv(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """Return the list as it is filtered, searched and sorted, row by row; of junk, back to the list."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            keys = list(self.get_changelist_instance(request).queryset.values_list("pk", flat=True))
        except (DataError, ValueError, IncorrectLookupParameters):
            return HttpResponseRedirect(f"{reverse('admin:onboarding_onboarding_changelist')}?{ERROR_FLAG}=1")
        return streamed_csv("worklist.csv", self._rows(request, keys))

    def _rows(self, request: HttpRequest, keys: Sequence[int]) -> Iterator[Sequence[object]]:
        exports = WORKLIST.exports
        yield [export.title for export in exports]
        for some in cut(keys, EXPORTED_AT_ONCE):
            for row in self.listed(request, some):
                yield [export.value(row) for export in exports]
