/**
 * Turns failed and late recipients, and those of whom no more will be heard, into messages to the sender.
 *
 * Never to the null reverse-path: what is sent there is a bounce already, and answering it would make
 * two servers talk to each other for ever (RFC 5321 §4.5.5, S21).
 */

import type { Failure, Relay } from '../core/message/conclusion.ts'
import { composeDsn, DSN_SIZES, headerSection } from '../core/message/dsn.ts'
import type { QueuedMessage } from '../core/message/envelope.ts'
import { newMessage } from '../core/message/new-message.ts'
import { scheduleFor, startsAt } from '../core/message/notification.ts'
import type { DeliverySettings } from './delivery-settings.ts'
import type { Body, Lease, NewMessage, Spool, System } from './ports.ts'

export type Notice =
  | { readonly kind: 'failed' | 'delayed'; readonly about: readonly Failure[] }
  | { readonly kind: 'relayed'; readonly about: readonly Relay[] }

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
    ...(notice.kind === 'relayed' ? { kind: notice.kind, recipients: notice.about } : { kind: notice.kind, recipients: notice.about }),
    id,
    boundary: `=_${system.newId()}`,
    hostname: settings.hostname,
    now,
    givesUpAt: startsAt(message) + scheduleFor(message, settings.retry).lifetimeSeconds * 1000,
    message,
    original: await readOriginal(lease.body, mostReturned(notice.kind, message)),
  })
  const draft = spool.draft()
  await draft.write(Buffer.from(dsn.text, 'utf8'))
  return { message: queuedNotice(id, now, draft.sizeBytes, message, dsn), draft }
}

/**
 * RFC 3461 §4.3: RET is about failure only. Up to what size the message comes back whole; a stranger's
 * never does, or anybody could have their words carried to somebody by us.
 */
function mostReturned(kind: Notice['kind'], { envelope, origin }: QueuedMessage): number {
  if (kind !== 'failed' || !origin.isKnown || envelope.returned === 'HDRS') return 0
  return envelope.returned === 'FULL' ? DSN_SIZES.wantedMessageBytes : DSN_SIZES.wholeMessageBytes
}

/** A message up to that size whole, of a larger one its header section. */
async function readOriginal(body: Body, mostWhole: number): Promise<{ readonly kind: 'whole' | 'header'; readonly bytes: Uint8Array } | null> {
  const isWhole = body.sizeBytes <= mostWhole
  const wanted = isWhole ? body.sizeBytes : DSN_SIZES.headerBytes
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
  return isWhole ? { kind: 'whole', bytes } : { kind: 'header', bytes: headerSection(bytes) }
}

function queuedNotice(
  id: string,
  now: number,
  sizeBytes: number,
  about: QueuedMessage,
  dsn: { readonly utf8: boolean; readonly eightBit: boolean },
): QueuedMessage {
  const address = about.envelope.reversePath
  return newMessage({
    id,
    envelope: {
      reversePath: '',
      // RFC 3461 §6.1: nobody is told of the fate of a report.
      recipients: [{ forwardPath: address, notify: [], originalRecipient: null }],
      bodyType: dsn.eightBit ? '8BITMIME' : '7BIT',
      utf8: dsn.utf8,
      // Deviates: by RFC 8689 §5 it would be lost where the way back promises no TLS to the end.
      tls: about.envelope.tls === 'required' ? 'encrypted' : null,
      declaredSizeBytes: null,
      returned: null,
      envelopeId: null,
      deliverBy: null,
      hold: null,
      priority: about.envelope.priority,
    },
    origin: { sessionId: about.id, listener: 'bounce', address: '', hello: '', fingerprint: null, holder: null, passwordId: null, isKnown: true },
    acceptedAt: now,
    sizeBytes,
    heldBecause: null,
  })
}
