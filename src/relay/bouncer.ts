/**
 * Turns failed and late recipients into messages to the sender.
 *
 * Never to the null reverse-path: what is sent there is a bounce already, and answering it would make
 * two servers talk to each other for ever (RFC 5321 §4.5.5, S21).
 */

import type { Failure } from '../core/message/conclusion.ts'
import { composeDsn, DSN_SIZES, headerSection } from '../core/message/dsn.ts'
import type { QueuedMessage } from '../core/message/envelope.ts'
import type { DeliverySettings } from './delivery-settings.ts'
import type { Body, Lease, NewMessage, Spool, System } from './ports.ts'

export type Notice = {
  readonly kind: 'failed' | 'delayed'
  readonly about: readonly Failure[]
}

/** The message that tells the sender, ready for the spool; null if there is nobody to tell. */
export async function composeNotice(
  notice: Notice,
  lease: Lease,
  host: { readonly spool: Spool; readonly system: System; readonly settings: DeliverySettings },
): Promise<NewMessage | null> {
  const { message } = lease
  if (notice.about.length === 0 || message.envelope.reversePath === '') return null
  const { system, settings, spool } = host
  const now = system.now()
  const id = system.newId()
  const dsn = composeDsn({
    kind: notice.kind,
    id,
    boundary: `=_${system.newId()}`,
    hostname: settings.hostname,
    now,
    givesUpAt: message.acceptedAt + settings.retry.lifetimeSeconds * 1000,
    message,
    recipients: notice.about,
    original: await readOriginal(lease.body),
  })
  const draft = spool.draft()
  await draft.write(Buffer.from(dsn.text, 'utf8'))
  return { message: queuedNotice(id, now, draft.sizeBytes, message, dsn), draft }
}

/** A small message whole, of a large one its header section. */
async function readOriginal(body: Body): Promise<{ readonly kind: 'whole' | 'header'; readonly bytes: Uint8Array } | null> {
  const wanted = body.sizeBytes <= DSN_SIZES.wholeMessageBytes ? body.sizeBytes : DSN_SIZES.headerBytes
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  try {
    for await (const chunk of body.chunks()) {
      chunks.push(chunk)
      sizeBytes += chunk.length
      if (sizeBytes >= wanted) break
    }
  } catch {
    // The message can't be read back; its sender is told of it all the same.
    return null
  }
  const bytes = Buffer.concat(chunks)
  return body.sizeBytes <= DSN_SIZES.wholeMessageBytes ? { kind: 'whole', bytes } : { kind: 'header', bytes: headerSection(bytes) }
}

function queuedNotice(
  id: string,
  now: number,
  sizeBytes: number,
  about: QueuedMessage,
  dsn: { readonly utf8: boolean; readonly eightBit: boolean },
): QueuedMessage {
  const address = about.envelope.reversePath
  return {
    id,
    envelope: {
      reversePath: '',
      // RFC 3461 §6.2: nobody is told of the fate of a report.
      recipients: [{ forwardPath: address, notify: [], originalRecipient: null }],
      bodyType: dsn.eightBit ? '8BITMIME' : '7BIT',
      utf8: dsn.utf8,
      declaredSizeBytes: null,
      returned: null,
      envelopeId: null,
    },
    origin: { sessionId: about.id, listener: 'bounce', address: '', hello: '', fingerprint: null, holder: null, passwordId: null },
    acceptedAt: now,
    sizeBytes,
    heldBecause: null,
    recipients: [{ address, state: 'waiting', attempts: 0, dueAt: now, lastReply: null, warned: false }],
  }
}
