/* Near me: the phone is asked, the point is rounded to a hundred metres and stays in this browser until it is closed. */
const told = document.getElementById("near-told");
for (const near of document.querySelectorAll("[data-near]")) {
  if (!navigator.geolocation) break;
  near.closest("li").hidden = false;
  near.addEventListener("click", () => navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      document.cookie = `here=${coords.longitude.toFixed(3)},${coords.latitude.toFixed(3)}; path=/; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
      location.assign(near.dataset.near);
    },
    () => { told.textContent = near.dataset.refused; },
    { timeout: 10000, maximumAge: 300000 },
  ));
}
