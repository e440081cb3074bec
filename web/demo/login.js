// @ts-check
// The log-in form, shown when a server responds with 401, and again if that log-in was wrong.
import { byId, submitted } from './page.js';

const root = document.documentElement;
const form = byId('login');

/** User who is logged in, or tried to. @type {string | undefined} */
let user;
/** Closes the form while it is shown. */
let dismiss = () => {};

export function isLoggedIn() {
  return user !== undefined;
}

export function forgetUser() {
  dismiss();
  user = undefined;
}

/**
 * Show the form until it is sent or cancelled. If the user is logged in already, the log-in was wrong.
 * @returns {Promise<Record<string, string> | false>} the headers to try again with
 */
export function askForLogin() {
  const wrong = form.querySelector('.wrong');
  wrong.hidden = !isLoggedIn();
  wrong.textContent = `The server does not let ${user} in with this password.`;
  form.password.value = '';
  showForm(true);
  (isLoggedIn() ? form.password : form.user).focus();
  return new Promise((resolve) => {
    const close = (/** @type {Record<string, string> | false} */ headers) => {
      user = headers ? form.user.value : undefined;
      showForm(false);
      resolve(headers);
    };
    form.onsubmit = submitted(() =>
      close({ Authorization: `Basic ${base64(`${form.user.value}:${form.password.value}`)}` }),
    );
    form.cancel.onclick = dismiss = () => close(false);
  });
}

/**
 * Repeat the work after a wrong log-in: pyloader asks only once per request, so a new attempt shows the form again.
 * @template Result @param {() => Promise<Result>} work
 */
export async function retryLogin(work) {
  for (;;) {
    try {
      return await work();
    } catch (/** @type {any} */ error) {
      if (error.status !== 401 || !isLoggedIn()) throw error;
    }
  }
}

/** @param {boolean} isNeeded */
function showForm(isNeeded) {
  form.hidden = !isNeeded;
  if (isNeeded) root.dataset.login = 'needed';
  else delete root.dataset.login;
}

/** @param {string} text in UTF-8 (RFC 7617 2.1) */
function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
