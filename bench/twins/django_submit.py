"""The submission as a plain Django project would write it: sessions, CSRF, a form and the ORM, over the portal's tables.

It does less than the portal, as the other twin: no child and no guardians in the answers, no second guardian, no bonds,
no returned applications.  `/sign-in/ACCOUNT` begins a session of Django's own.
"""

import datetime as dt
import hashlib
import os
import uuid
from urllib.parse import parse_qs, urlsplit

import django
from django import forms
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import models, transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path

from bench.twins.sealed_answers import registration_code, sealed, unlock

_url = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    SECRET_KEY=os.environ["SECRET_KEY"],
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    TIME_ZONE="UTC",
    INSTALLED_APPS=["django.contrib.sessions"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _url.path.lstrip("/"),
            "USER": _url.username,
            "HOST": parse_qs(_url.query)["host"][0],
            "CONN_MAX_AGE": None,
        }
    },
)
django.setup()
unlock(os.environ["BENCH_FOLDER"])


class Row(models.Model):
    class Meta:
        abstract = True
        managed = False
        app_label = "twins"


class Account(Row):
    id = models.UUIDField(primary_key=True)
    disabled_at = models.DateTimeField(null=True)

    class Meta(Row.Meta):
        db_table = "account"


class RoleGrant(Row):
    id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, models.DO_NOTHING)
    role = models.TextField()

    class Meta(Row.Meta):
        db_table = "role_grant"


class Guardian(Row):
    id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, models.DO_NOTHING)

    class Meta(Row.Meta):
        db_table = "guardian"


class Guardianship(Row):
    pk = models.CompositePrimaryKey("guardian_id", "child_id")
    guardian = models.ForeignKey(Guardian, models.DO_NOTHING)
    child_id = models.UUIDField()
    accepted_at = models.DateTimeField(null=True)

    class Meta(Row.Meta):
        db_table = "guardianship"


class Round(Row):
    id = models.UUIDField(primary_key=True)
    year = models.IntegerField()
    stage = models.TextField()
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()

    class Meta(Row.Meta):
        db_table = "round"


class Consent(Row):
    id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, models.DO_NOTHING)
    kind = models.TextField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta(Row.Meta):
        db_table = "consent"


class Application(Row):
    id = models.UUIDField(primary_key=True)
    child_id = models.UUIDField()
    year = models.IntegerField()
    stage = models.TextField()
    version = models.IntegerField()
    registration_code = models.TextField(null=True)
    agrees_to_central = models.BooleanField()
    on_hold = models.BooleanField()
    changed_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)

    class Meta(Row.Meta):
        db_table = "application"


class Household(Row):
    application = models.OneToOneField(Application, models.DO_NOTHING, primary_key=True)
    hukou_kind = models.TextField(null=True)
    hukou_area = models.TextField(null=True)
    home_area = models.TextField(null=True)
    home_street = models.TextField(null=True)
    home_community = models.TextField(null=True)
    home_estate = models.TextField(null=True)
    home_owned = models.BooleanField(null=True)
    work_area = models.TextField(null=True)

    class Meta(Row.Meta):
        db_table = "household"


class Wish(Row):
    pk = models.CompositePrimaryKey("application_id", "round_id", "rank")
    application = models.ForeignKey(Application, models.DO_NOTHING)
    round_id = models.UUIDField()
    rank = models.IntegerField()
    programme_id = models.UUIDField()

    class Meta(Row.Meta):
        db_table = "wish"


class ApplicationVersion(Row):
    pk = models.CompositePrimaryKey("application_id", "number")
    application = models.ForeignKey(Application, models.DO_NOTHING)
    number = models.IntegerField()
    answers = models.BinaryField()
    digest = models.TextField()
    changed = models.JSONField()
    submitted_at = models.DateTimeField()
    submitted_by = models.UUIDField()

    class Meta(Row.Meta):
        db_table = "application_version"


class MoveMade(Row):
    number = models.BigAutoField(primary_key=True)
    application = models.ForeignKey(Application, models.DO_NOTHING)
    move = models.TextField()
    before = models.TextField()
    after = models.TextField()
    account_id = models.UUIDField()
    at = models.DateTimeField()

    class Meta(Row.Meta):
        db_table = "move_made"


class AuditEntry(Row):
    number = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    account_id = models.UUIDField()
    act = models.TextField()
    subject = models.TextField()
    subject_id = models.TextField()
    details = models.JSONField()

    class Meta(Row.Meta):
        db_table = "audit_entry"


class Notice(Row):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    key = models.TextField()
    kind = models.TextField()
    account_id = models.UUIDField()
    child_id = models.UUIDField()
    application = models.ForeignKey(Application, models.DO_NOTHING)
    params = models.JSONField()
    created_at = models.DateTimeField()

    class Meta(Row.Meta):
        db_table = "notice"


class DoneOnce(Row):
    key = models.TextField(primary_key=True)
    account_id = models.UUIDField()
    body_digest = models.BinaryField()
    status = models.IntegerField()
    location = models.TextField()
    done_at = models.DateTimeField()

    class Meta(Row.Meta):
        db_table = "done_once"


class CheckForm(forms.Form):
    version = forms.IntegerField()
    idempotency_key = forms.CharField(max_length=64)
    true = forms.BooleanField()
    agrees_to_central = forms.BooleanField(required=False)


def sign_in(request, account):
    request.session["account"] = str(account)
    return HttpResponse("")


def submit(request, application_id):
    account = get_object_or_404(Account, id=request.session.get("account"), disabled_at=None)
    if not RoleGrant.objects.filter(account=account, role="guardian").exists():
        raise Http404
    form, now = CheckForm(request.POST), dt.datetime.now(dt.UTC)
    if not form.is_valid():
        return HttpResponse(status=400)
    said = form.cleaned_data
    digest = hashlib.sha256(repr(sorted(request.POST.items())).encode()).digest()
    key = f"{account.id.hex}:{said['idempotency_key']}"
    with transaction.atomic():
        known = DoneOnce.objects.filter(key=key).first()
        if known is not None:
            same = bytes(known.body_digest) == digest
            return HttpResponseRedirect(known.location) if same else HttpResponse(status=409)
        mine = Guardianship.objects.filter(guardian__account=account, accepted_at__isnull=False).values("child_id")
        draft = get_object_or_404(
            Application.objects.select_for_update(no_key=True), id=application_id, child_id__in=mine
        )
        if draft.stage != "draft" or draft.on_hold or draft.version != said["version"]:
            return HttpResponse(status=409)
        open_now = Round.objects.filter(year=draft.year, stage="open", opens_at__lte=now, closes_at__gt=now)
        given = Consent.objects.filter(account=account, kind="child_data", withdrawn_at=None)
        home = Household.objects.filter(application=draft).values().first()
        wishes = list(Wish.objects.filter(application=draft).order_by("rank").values_list("programme_id", flat=True))
        if not (open_now.exists() and given.exists() and home and wishes):
            return HttpResponse(status=409)
        text, checksum = sealed(home, wishes, said["agrees_to_central"], draft.id)
        draft.stage, draft.version = "submitted", draft.version + 1
        draft.registration_code, draft.agrees_to_central = registration_code(), said["agrees_to_central"]
        draft.submitted_at = draft.changed_at = now
        draft.save()
        ApplicationVersion.objects.create(
            application=draft, number=1, answers=text, digest=checksum, changed=[], submitted_at=now,
            submitted_by=account.id,
        )  # fmt: skip
        made = {"before": "draft", "after": "submitted"}
        MoveMade.objects.create(application=draft, move="submit", account_id=account.id, at=now, **made)
        AuditEntry.objects.create(
            at=now, account_id=account.id, act="submit", subject="application", subject_id=str(draft.id), details=made
        )
        Notice.objects.create(
            key=f"receipt:1:{draft.id}:{account.id}", kind="application_submitted", account_id=account.id,
            child_id=draft.child_id, application=draft, params={}, created_at=now,
        )  # fmt: skip
        location = f"/parents/applications/{draft.id}/receipts/1"
        DoneOnce.objects.create(
            key=key, account_id=account.id, body_digest=digest, status=303, location=location, done_at=now
        )
    return HttpResponseRedirect(location)


urlpatterns = [
    path("sign-in/<uuid:account>", sign_in),
    path("parents/applications/<uuid:application_id>/check", submit),
]
app = get_wsgi_application()
