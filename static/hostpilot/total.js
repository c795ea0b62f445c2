// Shows the new total while the subscription form is being changed: fetches it from the server, and replaces the content
// of each element by that of the response's element with the same id. Without JavaScript, a button of the form does this.
"use strict";

const form = document.querySelector("form[data-total]");
let latest = 0;
let waiting;

async function show() {
  const mine = ++latest;
  const parts = new Map();
  try {
    const answer = await fetch(form.dataset.total, { method: "POST", body: new FormData(form), redirect: "error" });
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of page.querySelectorAll("[id]")) parts.set(part.id, part.childNodes);
  } catch {
    parts.set("total-sum", [document.getElementById("total-failed").content.cloneNode(true)]);
    parts.set("total-changes", []);
  }
  if (mine !== latest) return; // the form has changed again, and a newer response will follow
  for (const [id, nodes] of parts) document.getElementById(id).replaceChildren(...nodes);
}

function later() {
  clearTimeout(waiting);
  waiting = setTimeout(show, 200);
}

if (form) form.addEventListener("input", later);
