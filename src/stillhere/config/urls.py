"""Where every address leads: all pages belong to web/."""

from django.urls import include, path

urlpatterns = [path("", include("stillhere.web.urls"))]
