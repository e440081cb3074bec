// @ts-check
// The policies that a worker's script and the page came with, as the worker sees them; for policy.js.

/**
 * Answer in a worker: whether its script and the page have a policy by header.
 * @param {{page: string | undefined}} of the page's address @returns {Promise<{worker?: boolean, page?: boolean}>}
 */
export async function seePolicies({ page }) {
  const worker = await hasPolicy(location.href);
  return { worker, page: page && worker === false ? await hasPolicy(page) : undefined };
}

/** Look for a policy in an answer, from the browser's cache where it is there. @param {string} url @returns {Promise<boolean | undefined>} undefined when it cannot be seen */
async function hasPolicy(url) {
  const answer = await fetch(url, { cache: 'force-cache', mode: 'same-origin' }).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.ok ? answer.headers.has('Content-Security-Policy') : undefined;
}
