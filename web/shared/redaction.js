// @ts-check
// Removes secrets from addresses in errors and events: user, password, tokens, signatures.
// pyloader/redaction.py does the same in Python; tests/security/redaction.json has the cases of both.

/** User information, which precedes the host (RFC 3986 3.2.1). */
const USER = /(?<=:\/\/)[^\s/?#'"<>]*@/g;
const PARAMETER = /(?<=[?&;#])([^\s?&;#='"<>]+)=([^\s&#'"<>]*)/g;
// Parameter names of OAuth, JSON Web Tokens, and signed addresses (AWS, Azure, Google).
const SECRET = /token|secret|passw|pwd|^sig$|signature|credential|key|auth|jwt|session|ticket|assertion|policy|^code$/i;
const HIDDEN = '***';

/**
 * Replace secrets of addresses in a text by `***`; return any other value unchanged.
 * @template Value @param {Value} text @returns {Value}
 */
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

/**
 * Return true if a parameter is a secret, or its value is an encoded address that contains one.
 * @param {string} name @param {string} value
 */
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
 * Return a copy of an object with the secrets of addresses removed from its texts.
 * @template {object} Fields @param {Fields} fields @returns {Fields}
 */
export function withoutSecrets(fields) {
  return /** @type {Fields} */ (
    Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, redacted(value)]))
  );
}
