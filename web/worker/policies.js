// @ts-check
// Finds out whether a worker's script and the page have a Content-Security-Policy header; page/policy.js uses it.

/**
 * Find out, in a worker, whether its script and the page have a policy by header.
 * @param {{page: string | undefined}} of the page's address @returns {Promise<{worker?: boolean, page?: boolean}>}
 */
export async function seePolicies({ page }) {
  const worker = await hasPolicy(location.href);
  return { worker, page: page && worker === false ? await hasPolicy(page) : undefined };
}

/**
 * Look for a policy in a response, which the browser takes from its cache if possible.
 * @param {string} url @returns {Promise<boolean | undefined>} resolves to undefined if the response cannot be read
 */
async function hasPolicy(url) {
  const response = await fetch(url, { cache: 'force-cache', mode: 'same-origin' }).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok ? response.headers.has('Content-Security-Policy') : undefined;
}
