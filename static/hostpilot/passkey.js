/* Asks the browser for a passkey, and posts the credential with the form that the button is in.

   The form's data-passkey says whether to create a passkey ("create") or to use one ("get"). Its data-options are the
   server's options for the browser, as JSON. Error messages are in the page, in its language. Without this script, the
   button stays hidden, and the page says why. */
"use strict";
(() => {
  const form = document.querySelector("form[data-passkey]");
  if (!form || !window.PublicKeyCredential) return;
  const button = form.querySelector("[data-passkey-button]");
  const problem = form.querySelector("[data-passkey-problem]");
  const missing = document.querySelector("[data-passkey-missing]");

  const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const known = (list) => (list || []).map((one) => ({ ...one, id: toBytes(one.id) }));

  const ask = async () => {
    const options = JSON.parse(form.dataset.options).publicKey;
    options.challenge = toBytes(options.challenge);
    if (form.dataset.passkey === "get") {
      return navigator.credentials.get({ publicKey: { ...options, allowCredentials: known(options.allowCredentials) } });
    }
    const user = { ...options.user, id: toBytes(options.user.id) };
    return navigator.credentials.create({
      publicKey: { ...options, user, excludeCredentials: known(options.excludeCredentials) },
    });
  };

  const written = (credential) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = toText(credential.response[name]);
    }
    if (credential.response.getTransports) response.transports = credential.response.getTransports();
    return JSON.stringify({
      id: credential.id,
      rawId: toText(credential.rawId),
      type: credential.type,
      authenticatorAttachment: credential.authenticatorAttachment,
      clientExtensionResults: credential.getClientExtensionResults(),
      response,
    });
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    problem.hidden = true;
    try {
      form.elements.credential.value = written(await ask());
      form.submit();
    } catch (error) {
      problem.textContent = error.name === "InvalidStateError" ? problem.dataset.known : problem.dataset.notGiven;
      problem.hidden = false;
      button.disabled = false;
    }
  });
  button.hidden = false;
  if (missing) missing.hidden = true;
})();
