/**
 * The life of a recipient: which state follows which event, and nothing else.
 *
 *                        hold                 release
 *              waiting ───────▶ held ──────────────────────▶ waiting
 *               │   ▲
 *         lease │   │ deferred
 *               ▼   │
 *              leased ── delivered ──▶ delivered
 *                 └───── refused ────▶ failed
 *
 * Stores persist these states; the scheduler and the administrator cause these events; `change` is
 * the only code that moves a recipient from one state to another.
 *
 * `leased` alone is never stored. A lease that is given back, or lost with its process, leaves the
 * recipient waiting as it was, and that is why a message can arrive twice: the process may have died
 * after the next host said 250 and before we wrote it down. RFC 5321 §6.1 makes losing it the worse
 * mistake.
 */

import { assert } from '../result.ts'
import type { Recipient, RecipientState } from './envelope.ts'

/** What can happen to a recipient. `reply` is one line without control characters (outcome.ts). */
export type RecipientEvent =
  /** Taken for an attempt. */
  | { readonly kind: 'lease' }
  | { readonly kind: 'delivered'; readonly reply: string }
  /** `isExtra`: the attempt was asked for before its time, and uses up no step of the schedule. */
  | { readonly kind: 'deferred'; readonly reply: string; readonly dueAt: number; readonly isExtra: boolean }
  | { readonly kind: 'refused'; readonly reply: string }
  /** Its lifetime is over; `lastReply` stays, as the reason of the last attempt. */
  | { readonly kind: 'expired' }
  /** The sender has been told of the delay. */
  | { readonly kind: 'warned' }
  | { readonly kind: 'hold' }
  | { readonly kind: 'release'; readonly dueAt: number }
  /** Due at once, or at whatever time the administrator says. */
  | { readonly kind: 'retry'; readonly dueAt: number }

/** The recipient after the event. An event that its state does not know is a bug of the caller. */
export function change(recipient: Recipient, event: RecipientEvent): Recipient {
  const state = stateAfter(recipient.state, event.kind)
  assert(state !== null, `a recipient that is ${recipient.state} is never ${event.kind}`)
  switch (event.kind) {
    case 'delivered':
    case 'refused':
      return { ...recipient, state, attempts: recipient.attempts + 1, lastReply: event.reply }
    case 'deferred':
      return { ...recipient, state, attempts: recipient.attempts + (event.isExtra ? 0 : 1), lastReply: event.reply, dueAt: event.dueAt, plannedAt: null }
    case 'release':
    case 'retry':
      return { ...recipient, state, dueAt: event.dueAt, plannedAt: recipient.plannedAt ?? recipient.dueAt }
    case 'warned':
      return { ...recipient, state, warned: true }
    case 'lease':
    case 'expired':
    case 'hold':
      return { ...recipient, state }
  }
}

/** The state that follows, or null if the event has no place there; for callers that ask first. */
export function stateAfter(state: RecipientState, event: RecipientEvent['kind']): RecipientState | null {
  return TRANSITIONS[state][event] ?? null
}

/** Nothing more will happen to this recipient. */
export function isFinal(state: RecipientState): boolean {
  return state === 'delivered' || state === 'failed'
}

// prettier-ignore
const TRANSITIONS: Record<RecipientState, Partial<Record<RecipientEvent['kind'], RecipientState>>> = {
  waiting:   { lease: 'leased', hold: 'held', expired: 'failed', retry: 'waiting', warned: 'waiting' },
  leased:    { delivered: 'delivered', deferred: 'waiting', refused: 'failed' },
  held:      { release: 'waiting' },
  delivered: {},
  failed:    {},
}
