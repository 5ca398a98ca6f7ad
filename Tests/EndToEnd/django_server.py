"""A small site with django-oauth-toolkit: log in, consent, and a view that wants an access token.

Usage: django_server.py PORT FOLDER REDIRECT_URI CLIENT_ID CLIENT_SECRET USER PASSWORD
"""

import socketserver
import sys
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

LOGIN_PAGE = """<!doctype html><title>Log in</title>
<form method="post">{% csrf_token %}{{ form }}<input type="hidden" name="next" value="{{ next }}"><button>Log in</button></form>"""


def configure(folder: Path) -> None:
    settings.configure(
        SECRET_KEY="for tests only",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "django.db"}},
        INSTALLED_APPS=[
            "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[{
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ],
                "loaders": [
                    ("django.template.loaders.locmem.Loader", {"login.html": LOGIN_PAGE}),
                    "django.template.loaders.app_directories.Loader",
                ],
            },
        }],
        LOGIN_URL="/login/",
        OAUTH2_PROVIDER={
            "PKCE_REQUIRED": True,
            "SCOPES": {"read": "Read the wiki", "write": "Write to the wiki"},
            "DEFAULT_SCOPES": ["read"],
            "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
            "ALLOWED_REDIRECT_URI_SCHEMES": ["http", "https"],
        },
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()


def populate(redirect_uri: str, client_id: str, client_secret: str, user: str, password: str) -> None:
    """A user, and a confidential application that authenticates with HTTP Basic."""
    from django.contrib.auth.models import User
    from oauth2_provider.models import get_application_model

    application = get_application_model()
    call_command("migrate", verbosity=0)
    User.objects.create_user(user, password=password)
    application.objects.create(
        name="Cloakroom",
        client_id=client_id,
        client_secret=client_secret,
        client_type=application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=application.GRANT_AUTHORIZATION_CODE,
        redirect_uris=redirect_uri,
        skip_authorization=False,
    )


def routes() -> list:
    from django.contrib.auth.views import LoginView
    from django.http import JsonResponse
    from django.urls import include, path
    from oauth2_provider.decorators import protected_resource

    @protected_resource(scopes=["read"])
    def whoami(request):
        return JsonResponse({"user": request.resource_owner.username})

    return [
        path("login/", LoginView.as_view(template_name="login.html")),
        path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
        path("whoami/", whoami),
    ]


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Handler(WSGIRequestHandler):
    def address_string(self) -> str:
        return self.client_address[0]  # no look-up of names


def main(port: str, folder: str, *application: str) -> None:
    configure(Path(folder))
    populate(*application)
    global urlpatterns
    urlpatterns = routes()
    make_server("127.0.0.1", int(port), get_wsgi_application(), Server, Handler).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
