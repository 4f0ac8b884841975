/**
 * The three kinds of wrong, and how each is said.
 *
 * What a peer or an administrator did wrong is a `Result` that carries a problem. What the world did
 * is an outcome of the port that met it. What we did wrong ourselves is `assert` and `unreachable`.
 */

export type Result<Value, Problem> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problem: Problem }

export function ok<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value }
}

export function fail<Problem>(problem: Problem): { readonly ok: false; readonly problem: Problem } {
  return { ok: false, problem }
}

/** A broken promise inside our own code. Never used for what a peer or a disk did. */
export function assert(condition: unknown, promise: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${promise}`)
}

/** The end of a `switch` that must have covered every member of a union. */
export function unreachable(value: never): never {
  throw new Error(`broken invariant: no case for ${JSON.stringify(value)}`)
}
