"""Documents that a policy may require, and the facts that each of them proves."""

from enum import StrEnum

from enrollment.season.facts import Fact


class Document(StrEnum):
    BIRTH_CERTIFICATE = "birth_certificate"
    PASSPORT_OR_PERMIT = "passport_or_permit"
    GUARDIANSHIP_PROOF = "guardianship_proof"
    HUKOU_BOOKLET = "hukou_booklet"
    COLLECTIVE_HUKOU_PAGE = "collective_hukou_page"
    PROPERTY_CERTIFICATE = "property_certificate"
    PURCHASE_CONTRACT = "purchase_contract"
    RENTAL_RECORD = "rental_record"
    RESIDENCE_PERMIT = "residence_permit"
    WORK_CONTRACT = "work_contract"
    SOCIAL_INSURANCE = "social_insurance"
    SIBLING_ENROLMENT = "sibling_enrolment"
    BINDING_AGREEMENT = "binding_agreement"
    POLICY_CARE_PROOF = "policy_care_proof"
    STAFF_PROOF = "staff_proof"
    DISABILITY_CERTIFICATE = "disability_certificate"
    SIBLINGS_BIRTH_CERTIFICATES = "siblings_birth_certificates"


PROVES: dict[Document, tuple[Fact, ...]] = {
    Document.BIRTH_CERTIFICATE: (Fact.BORN,),
    Document.PASSPORT_OR_PERMIT: (Fact.BORN,),
    # who may act for the child is no fact of a ground
    Document.GUARDIANSHIP_PROOF: (),
    # a booklet also shows who is whose sibling
    Document.HUKOU_BOOKLET: (
        Fact.BORN,
        Fact.HUKOU_AREA,
        Fact.HUKOU_KIND,
        Fact.HUKOU_STREET,
        Fact.SIBLING_AT,
        Fact.CHILDREN_IN_FAMILY,
    ),
    Document.COLLECTIVE_HUKOU_PAGE: (Fact.HUKOU_AREA, Fact.HUKOU_KIND),
    Document.PROPERTY_CERTIFICATE: (Fact.HOME_AREA, Fact.HOME_PLACE, Fact.HOME_OWNED),
    Document.PURCHASE_CONTRACT: (Fact.HOME_AREA, Fact.HOME_PLACE, Fact.HOME_OWNED),
    Document.RENTAL_RECORD: (Fact.HOME_AREA, Fact.HOME_PLACE),
    Document.RESIDENCE_PERMIT: (Fact.RESIDENCE_PERMIT_AREA, Fact.HOME_AREA),
    Document.WORK_CONTRACT: (Fact.WORK_AREA,),
    Document.SOCIAL_INSURANCE: (Fact.WORK_AREA,),
    Document.SIBLING_ENROLMENT: (Fact.SIBLING_AT,),
    Document.BINDING_AGREEMENT: (Fact.SIBLING_RIGHT_AT,),
    Document.POLICY_CARE_PROOF: (Fact.POLICY_CARE,),
    Document.STAFF_PROOF: (Fact.STAFF_CHILD_AT,),
    Document.DISABILITY_CERTIFICATE: (Fact.SPECIAL_NEED,),
    Document.SIBLINGS_BIRTH_CERTIFICATES: (Fact.CHILDREN_IN_FAMILY,),
}
