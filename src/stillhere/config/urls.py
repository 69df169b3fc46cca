"""Where every address leads: all pages, also those for when something is wrong, belong to web/."""

from django.urls import include, path

from stillhere.web.site import errors

urlpatterns = [path("", include("stillhere.web.urls"))]

handler400 = errors.not_understood
handler403 = errors.not_allowed
handler404 = errors.not_there
handler500 = errors.our_fault
