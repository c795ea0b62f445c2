// Shows beside the button how many accounts are selected and what they are charged, and asks for their number if they are
// many. Without JavaScript, the server says so when the form is sent.
const form = document.querySelector("form.activation");
const total = form && form.querySelector(".total");
const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
const cents = (amount) => Math.round(Number(amount) * 100);
const accounts = (count) => `${count.toLocaleString("en-US")} account${count === 1 ? "" : "s"}`;

function strong(text) {
  const element = document.createElement("strong");
  element.textContent = text;
  return element;
}

function show() {
  const known = "monthly" in total.dataset;
  let count = Number(total.dataset.count);
  let priced = Number(total.dataset.priced || 0);
  let monthly = cents(total.dataset.monthly || 0);
  let first = cents(total.dataset.first || 0);
  for (const box of form.querySelectorAll("input[name=despite]:checked")) {
    count += 1;
    if (!("monthly" in box.dataset)) continue;
    priced += 1;
    monthly += cents(box.dataset.monthly);
    first += cents(box.dataset.first);
  }
  const parts = [strong(count ? accounts(count) : "No accounts selected")];
  if (known && priced) {
    const invoices = count === 1 ? " · first invoice " : " · first invoices ";
    parts.push(" · ", strong(dollars.format(monthly / 100)), " a month", invoices, strong(dollars.format(first / 100)));
  } else if (known && count) parts.push(" · price missing");
  total.replaceChildren(...parts);
  const button = document.getElementById("activate");
  button.textContent = count ? `Activate ${accounts(count)}` : button.dataset.none;
  const number = document.getElementById("number");
  if (number) number.hidden = count <= Number(total.dataset.typedAbove);
}

if (total) {
  form.addEventListener("change", show);
  window.addEventListener("pageshow", show); // the browser may restore boxes when one goes back
}
