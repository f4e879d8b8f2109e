"""Forms of the accounts' pages."""

import uuid

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from enrollment.ground.errors import Refused
from enrollment.places import kindergartens
from enrollment.staff_accounts import scope
from enrollment.staff_accounts.changes import LONGEST_REASON
from portal.officials.forms import NEEDED, OfficialForm
from portal.officials.scope import area_names
from portal.text.words import word
from portal.web.unit_of_work import actor, db


class ReasonForm(OfficialForm):
    """Why an account is reset or let in again.  Its page has a `RoleForm` too, so the field has an id of its own."""

    reason = StringField(_l("为什么"), [InputRequired(NEEDED), Length(max=LONGEST_REASON)], id="access-reason")


class RoleForm(ReasonForm):
    reason = StringField(_l("为什么"), [InputRequired(NEEDED), Length(max=LONGEST_REASON)])
    role = RadioField(_l("角色"), validate_choice=False)
    kindergarten = StringField(_l("幼儿园（审核员和园长）"))
    area = SelectField(_l("区域（区级管理员）"), validate_choice=False)

    def set_choices(self) -> None:
        self.role.choices = [(str(role), word("role", role)) for role in scope.roles_of(actor())]
        self.area.choices = [("", _("请选择")), *area_names().items()]

    def kindergarten_id(self) -> uuid.UUID | None:
        """The one kindergarten with this name or code; refuses a name that none or several have."""
        typed = (self.kindergarten.data or "").strip()
        if self.role.data not in scope.STAFF or not typed:
            return None
        found = kindergartens.of_exact_name(db(), typed)
        if len(found) != 1:
            raise Refused("kindergarten_not_found" if not found else "kindergarten_by_code", field="kindergarten")
        return found[0].id


class NewAccountForm(RoleForm):
    login = StringField(_l("账号"), [InputRequired(NEEDED), Length(max=40)])
    name = StringField(_l("姓名"), [InputRequired(NEEDED), Length(max=40)])
