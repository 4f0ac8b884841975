/**
 * As whom a client that has proved who it is may act (RFC 4422 §3.4.1): as itself, under any of its
 * own names. Mail programs send as authorization identity what was typed as user name or address.
 */

/** `@example.org` among the names stands for every address of that domain: only our own register may have such names. */
export function isOneOfNames(wanted: string, own: readonly string[]): boolean {
  const name = wanted.toLowerCase()
  return own.some(text => {
    const candidate = text.toLowerCase()
    return candidate.startsWith('@') ? name.endsWith(candidate) && name.length > candidate.length : name === candidate
  })
}
