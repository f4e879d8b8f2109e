"""A family's choices about its text messages: quiet hours, language, reminders that it reads in the inbox alone."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget

from enrollment.delivery import message_choices, wechat
from enrollment.delivery.message_choices import OPTIONAL
from enrollment.ground.accounts import LANGUAGES
from portal.parents import pages
from portal.web.forms import PageForm, coded_choices, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import account_id, actor, clock, db, services

HOURS = [("", _l("不静音")), *((str(hour), f"{hour:02}:00") for hour in range(24))]
OWN_NAMES = {"zh": "中文", "en": "English"}


class ChoicesForm(PageForm):
    language = RadioField(_l("消息用什么语言"), choices=[(code, OWN_NAMES[code]) for code in LANGUAGES])
    quiet_from = SelectField(_l("从几点起不发短信"), choices=HOURS)
    quiet_until = SelectField(_l("到几点恢复"), choices=HOURS[1:])
    sent = SelectMultipleField(
        _l("还要发短信的提醒"),
        choices=coded_choices("message_choice", OPTIONAL),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )

    def quiet(self) -> tuple[int, int] | None:
        return (int(self.quiet_from.data), int(self.quiet_until.data)) if self.quiet_from.data else None


@pages.get("/messages/choices")
@desk("parents")
def message_choices_page() -> ResponseReturnValue:
    chosen = message_choices.of_account(db(), account_id())
    begins, ends = chosen.quiet or ("", 7)
    return _view(
        ChoicesForm(
            language=chosen.language,
            quiet_from=str(begins),
            quiet_until=str(ends),
            sent=[code for code in OPTIONAL if code not in chosen.muted],
        )
    )


@pages.post("/messages/choices")
@desk("parents")
def choose_messages() -> ResponseReturnValue:
    form = ChoicesForm()
    if form.validate_on_submit():
        with refusals_in(form):
            message_choices.save(
                db(),
                quiet=form.quiet(),
                muted=[code for code in OPTIONAL if code not in (form.sent.data or [])],
                language=form.language.data,
                by=actor(),
                now=clock(),
            )
            flash(_("短信设置已保存。"))
            return redirect(url_for("parents.messages_page"), 303)
    return _view(form)


def _view(form: ChoicesForm) -> ResponseReturnValue:
    has_wechat = services().config.wechat is not None
    return render_template(
        "parents/message_choices.html",
        form=form,
        has_wechat=has_wechat,
        wechat=wechat.of_account(db(), account_id()) if has_wechat else None,
    )
