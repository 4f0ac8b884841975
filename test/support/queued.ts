/** Messages for the tests of spools. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { parseConfig } from '../../src/core/config/parse.ts'
import type { Envelope, QueuedMessage, Recipient } from '../../src/core/message/envelope.ts'
import type { RetrySchedule } from '../../src/core/message/retry.ts'
import { NO_RCPT_PARAMETERS } from '../../src/core/smtp/parameters.ts'
import type { Body, Draft, Lease, NewMessage, Spool } from '../../src/relay/ports.ts'

/** The instant at which these tests take place. */
export const NOW = 1_790_000_000_000

/** As it is where postern.toml says nothing of it. */
export const USUAL_RETRY: RetrySchedule = usualRetry()

function usualRetry(): RetrySchedule {
  const config = parseConfig('hostname = "mx.example.org"\n', 'postern.toml')
  if (!config.ok) throw new Error('a name is all that a configuration must have')
  const { retrySeconds, lifetimeSeconds, delayWarningSeconds } = config.value.queue
  return { delaysSeconds: retrySeconds, lifetimeSeconds, warnAfterSeconds: delayWarningSeconds }
}

export function recipient(changes: Partial<Recipient> = {}): Recipient {
  return { address: 'bob@example.net', state: 'waiting', attempts: 0, dueAt: NOW, plannedAt: null, lastReply: null, warned: false, ...changes }
}

/** From ann@example.org, asking for nothing in particular. */
export function envelopeTo(forwardPaths: readonly string[], changes: Partial<Envelope> = {}): Envelope {
  return {
    reversePath: 'ann@example.org',
    recipients: forwardPaths.map(forwardPath => ({ forwardPath, ...NO_RCPT_PARAMETERS })),
    bodyType: '7BIT',
    utf8: false,
    tls: null,
    declaredSizeBytes: null,
    returned: null,
    envelopeId: null,
    deliverBy: null,
    hold: null,
    priority: 0,
    ...changes,
  }
}

export function message(id: string, changes: Partial<QueuedMessage> = {}): QueuedMessage {
  const recipients = changes.recipients ?? [recipient()]
  return {
    id,
    envelope: envelopeTo(recipients.map(({ address }) => address)),
    origin: { sessionId: 's1', listener: 'submission', address: '192.0.2.7', hello: 'laptop.example.org', fingerprint: null, holder: null, passwordId: null, isKnown: true },
    acceptedAt: NOW,
    sizeBytes: 0,
    heldBecause: null,
    isSpared: false,
    ...changes,
    recipients,
  }
}

/** A message with its draft written, ready to be enqueued. */
export async function drafted(spool: Spool, id: string, text: string | Uint8Array = 'Subject: test\r\n\r\n', changes: Partial<QueuedMessage> = {}): Promise<NewMessage> {
  const draft = await draftOf(spool, [typeof text === 'string' ? Buffer.from(text) : text])
  return { message: message(id, { ...changes, sizeBytes: draft.sizeBytes }), draft }
}

export async function draftOf(spool: Spool, parts: Iterable<Uint8Array>): Promise<Draft> {
  const draft = spool.draft()
  for (const part of parts) await draft.write(part)
  return draft
}

export async function enqueue(spool: Spool, id: string, changes: Partial<QueuedMessage> = {}, text?: string): Promise<Lease> {
  return spool.enqueue(await drafted(spool, id, text, changes), { leased: false })
}

/** All that is due at `now`. */
export function claimAll(spool: Spool, now: number = NOW, limit = 1000): Promise<readonly Lease[]> {
  return spool.claim({ now, limit })
}

export async function textOf(body: Body | null): Promise<string | null> {
  if (body === null) return null
  const chunks: Uint8Array[] = []
  for await (const chunk of body.chunks()) chunks.push(chunk)
  return Buffer.concat(chunks).toString('latin1')
}

/** An empty folder, removed when the test is over. */
export function emptyFolder(t: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-spool-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
