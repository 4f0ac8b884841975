/**
 * Passwords as text: what may be set, what a login is compared with, and names to log in with.
 *
 * RFC 5802 and RFC 4616 have both sides prepare text with SASLprep (RFC 4013) so that one word typed
 * on two keyboards is one password. What SASLprep changes or forbids, and what depends on a version of
 * Unicode, is refused when a password is set; what is left is compared in NFKC, so that a mail program
 * that prepares and one that does not both fit.
 */

import type { Holder } from '../names/identity.ts'

/** Longer is not safer, and every octet is hashed. */
export const LONGEST_PASSWORD = 256
/** A password that somebody has thought up. Those we make are much longer. */
export const SHORTEST_PASSWORD = 12

/** Why this cannot be a password, or null. */
export function passwordProblem(password: string): string | null {
  if (password.length < SHORTEST_PASSWORD) return `a password has at least ${SHORTEST_PASSWORD} characters; without --stdin a strong one is made`
  if (password.length > LONGEST_PASSWORD) return `a password has at most ${LONGEST_PASSWORD} characters`
  if (!STABLE.test(password) || password.normalize('NFKC') !== password || password !== password.trim()) {
    return 'a password is of letters, digits, marks and single blanks that every keyboard and mail program writes in one way; use plain ASCII'
  }
  return null
}

/** Why this cannot be the name of what a password is for, or null. */
export function deviceProblem(device: string): string | null {
  if (/^[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?$/.test(device)) return null
  return `${JSON.stringify(device.slice(0, 100))} cannot be the name of a device; use letters, digits, blanks, ".", "_" and "-", at most 64`
}

/** A password as it came in a login. */
export function preparedPassword(password: string): string {
  return password.normalize('NFKC')
}

/** The form of a name under which an account is found: names that differ in case only are one. */
export function foldedLogin(login: string): string {
  return login.normalize('NFKC').toLowerCase()
}

/** The names under which a holder may log in: its own, and its addresses. */
export function loginNames({ name, senders }: Pick<Holder, 'name' | 'senders'>): readonly string[] {
  return [...new Set([name, ...senders.filter(sender => !sender.startsWith('@'))].map(foldedLogin))]
}

const STABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u
