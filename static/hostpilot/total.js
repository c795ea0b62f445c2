// While the subscription's form is changed, fetch what it would come to and show it: the answer's elements replace the
// content of those with the same id. Without JavaScript a button of the form does the same.
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
  if (mine !== latest) return; // a newer change is on its way
  for (const [id, nodes] of parts) document.getElementById(id).replaceChildren(...nodes);
}

function later() {
  clearTimeout(waiting);
  waiting = setTimeout(show, 200);
}

if (form) form.addEventListener("input", later);
