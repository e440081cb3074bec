// @ts-check
// Addresses without their secrets, for errors and events: user, password, tokens, signatures.
// pyloader/redaction.py does the same in Python; tests/security/redaction.json has the cases of both.

/** User information, which stands before the host (RFC 3986 3.2.1). */
const USER = /(?<=:\/\/)[^\s/?#'"<>]*@/g;
const PARAMETER = /(?<=[?&;#])([^\s?&;#='"<>]+)=([^\s&#'"<>]*)/g;
// Names of parameters of OAuth, JSON Web Tokens, and addresses that are signed (AWS, Azure, Google).
const SECRET = /token|secret|passw|pwd|^sig$|signature|credential|key|auth|jwt|session|ticket|assertion|policy|^code$/i;
const HIDDEN = '***';

/** A text whose addresses have their secrets replaced by `***`; anything else as it is. @template Value @param {Value} text @returns {Value} */
export function redacted(text) {
  return typeof text === 'string' ? /** @type {Value & string} */ (hidden(text)) : text;
}

/** @param {string} text */
function hidden(text) {
  const open = text.includes('://') ? text.replace(USER, `${HIDDEN}@`) : text;
  return open.includes('=')
    ? open.replace(PARAMETER, (_, name, value) => `${name}=${isSecret(name, value) ? HIDDEN : value}`)
    : open;
}

/** Tell whether a parameter is to be hidden; its value may hold another address, encoded. @param {string} name @param {string} value */
function isSecret(name, value) {
  const plain = decoded(value);
  return SECRET.test(decoded(name)) || (plain !== value && redacted(plain) !== plain);
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/%[0-9a-f]{2}/gi, (code) => String.fromCharCode(parseInt(code.slice(1), 16)));
  }
}

/**
 * An object whose texts have no secrets of addresses.
 * @template {object} Fields @param {Fields} fields @returns {Fields}
 */
export function withoutSecrets(fields) {
  return /** @type {Fields} */ (
    Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, redacted(value)]))
  );
}
