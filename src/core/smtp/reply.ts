/**
 * Every reply this server can give.
 *
 * The words a client reads are here and nowhere else. They tell less than we know: a sentence and,
 * for a decision, its id, by which the administrator finds the rest.
 */

/** A reply (RFC 5321 §4.2) with its enhanced status (RFC 2034), if it has one. Lines hold no CR or LF. */
export type Reply = {
  readonly code: number
  /** `2.1.5`; null for greetings, EHLO and 3yz. */
  readonly enhanced: string | null
  readonly lines: readonly string[]
}
