/* Another document than a resident number: its questions open with the choice, those for a number without a birth date only then. */
const byHand = document.querySelector("details[data-dated-kinds]");
const idKind = document.getElementById("id_kind");
if (byHand && idKind) {
  const dated = byHand.dataset.datedKinds.split(" "), birth = byHand.querySelector("[data-birth]");
  const follow = () => {
    birth.hidden = idKind.value !== "resident" && dated.includes(idKind.value) && !birth.querySelector(".govuk-error-message");
    byHand.open = idKind.value !== "resident" && !(birth.hidden && byHand.dataset.asks === undefined);
  };
  idKind.addEventListener("change", follow);
  if (idKind.value !== "resident") follow();
}

/* The kind of a document follows from the form of its number, until the family has chosen one itself. */
const KINDS = [
  ["hk_macau_residence", /^8[12]\d{15}[\dX]$/], ["taiwan_residence", /^83\d{15}[\dX]$/],
  ["foreign_residence", /^(9\d{16}[\dX]|[A-Z]{3}\d{12})$/], ["hk_macau_permit", /^[HM]\d{8}(\d{2})?$/],
  ["birth_certificate", /^[A-Z]\d{9}$/], ["taiwan_permit", /^\d{8}(\d{2})?$/],
  ["passport", /^(\d{9}|(?=\d*[A-Z])[A-Z\d]{6,12})$/],
];
const idNumber = document.getElementById("id_number"), kindTold = document.querySelector("[data-kind-told]");
if (idKind && idNumber && kindTold) {
  let follows = idKind.value === "resident", itself = false;
  idKind.addEventListener("change", () => { if (!itself) { follows = false; kindTold.textContent = ""; } });
  idNumber.addEventListener("change", () => {
    const typed = idNumber.value.normalize("NFKC").replace(/[\s-]/g, "").toUpperCase();
    const offered = [...idKind.options].map((option) => option.value);
    const kind = (KINDS.find(([name, form]) => offered.includes(name) && form.test(typed)) ?? ["resident"])[0];
    if (!follows || kind === idKind.value) return;
    idKind.value = kind;
    /* what moves the page waits: the touch that left the field may be on a button, which would not be under the finger any more */
    setTimeout(() => {
      kindTold.textContent = kind === "resident" ? "" : kindTold.dataset.kindTold.replace("{kind}", idKind.selectedOptions[0].label);
      itself = true;
      for (const told of ["input", "change"]) idKind.dispatchEvent(new Event(told, { bubbles: true }));
      itself = false;
    }, 300);
  });
}
