/** The options by which queue commands choose messages, and the messages as they print them. */

import { formatInstant, parseDuration } from '../core/time.ts'
import type { QueuedMessage, Recipient } from '../core/message/envelope.ts'
import type { QueueFilter } from '../relay/ports.ts'
import { UsageProblem, type Args, type OptionSpecs } from './command.ts'
import { relativeTime, table, visible, type Look } from './output.ts'

export const FILTER_OPTIONS = {
  sender: { type: 'text', value: 'A', describe: 'Only messages from this address, or from @DOMAIN.' },
  recipient: { type: 'text', value: 'A', describe: 'Only messages to this address.' },
  domain: { type: 'text', value: 'DOMAIN', describe: 'Only messages to this domain.' },
  'older-than': { type: 'text', value: 'AGE', describe: 'Only messages accepted longer ago: 30m, 4h, 2d.' },
  error: { type: 'text', value: 'TEXT', describe: 'Only messages whose last reply contains this.' },
  state: { type: 'choice', choices: ['waiting', 'leased', 'held'], describe: 'Only messages with a recipient in this state.' },
} as const satisfies OptionSpecs

/** Options of commands that change messages. */
export const CHANGE_OPTIONS = {
  ...FILTER_OPTIONS,
  all: { type: 'flag', describe: 'Every message in the queue.' },
} as const satisfies OptionSpecs

export function filterFrom(args: Args<typeof FILTER_OPTIONS>, now: number): QueueFilter {
  if (args.recipient !== undefined && args.domain !== undefined) throw new UsageProblem('give --recipient or --domain, not both')
  const recipient = args.domain === undefined ? args.recipient : `@${args.domain.replace(/^@/, '')}`
  const age = args['older-than'] === undefined ? null : parseDuration(args['older-than'])
  if (age !== null && !age.ok) throw new UsageProblem(`--older-than ${args['older-than']}: ${age.problem}`)
  return {
    ...(args.sender === undefined ? {} : { sender: args.sender }),
    ...(recipient === undefined ? {} : { recipient }),
    ...(age === null ? {} : { acceptedBefore: now - age.value * 1000 }),
    ...(args.error === undefined ? {} : { error: args.error }),
    ...(args.state === undefined ? {} : { state: args.state }),
  }
}

/** One filter per id, or one made of the options. Choosing nothing is not choosing everything. */
export function selectionFrom(operands: readonly string[], args: Args<typeof CHANGE_OPTIONS>, now: number): readonly QueueFilter[] {
  const filter = filterFrom(args, now)
  const filtered = Object.keys(filter).length > 0
  const ways = [operands.length > 0, filtered, args.all].filter(Boolean).length
  if (ways === 0) throw new UsageProblem('say which messages: their IDs, a filter such as --recipient, or --all')
  if (ways > 1) throw new UsageProblem('choose messages in one way: by IDs, by filters, or with --all')
  return operands.length > 0 ? operands.map(id => ({ id })) : [filter]
}

/** The shape that scripts rely on. */
export function queueEntry(message: QueuedMessage) {
  return {
    id: message.id,
    sender: message.envelope.reversePath,
    recipients: message.recipients.map(recipient => ({
      address: recipient.address,
      state: recipient.state,
      attempts: recipient.attempts,
      nextAttemptAt: recipient.state === 'waiting' ? formatInstant(recipient.dueAt) : null,
      lastReply: recipient.lastReply,
    })),
    size: message.sizeBytes,
    receivedAt: formatInstant(message.acceptedAt),
    heldBecause: message.heldBecause,
  }
}

/** One line per recipient that is still to be delivered; the message's own facts on its first line. */
export function queueTable(messages: readonly QueuedMessage[], now: number, look: Look): string {
  const rows = messages.flatMap(message =>
    message.recipients.map((recipient, index) => [
      index === 0 ? message.id : '',
      index === 0 ? relativeTime(message.acceptedAt, now) : '',
      index === 0 ? senderText(message) : '',
      visible(recipient.address),
      stateText(message, recipient, now, look),
    ]),
  )
  return table(['ID', 'ACCEPTED', 'SENDER', 'RECIPIENT', 'STATE'], rows, look)
}

export function senderText(message: QueuedMessage): string {
  return message.envelope.reversePath === '' ? '<>' : visible(message.envelope.reversePath)
}

export function stateText(message: QueuedMessage, recipient: Recipient, now: number, look: Look): string {
  const lastReply = recipient.lastReply === null ? '' : `: ${visible(recipient.lastReply)}`
  switch (recipient.state) {
    case 'waiting': {
      const due = recipient.dueAt <= now ? 'due' : `next attempt ${relativeTime(recipient.dueAt, now)}`
      return lastReply === '' ? due : `${due}${look.warn(lastReply)}`
    }
    case 'leased':
      return `being delivered${lastReply}`
    case 'held':
      return look.warn(`held${message.heldBecause === null ? '' : `: ${visible(message.heldBecause)}`}`)
    case 'delivered':
      return look.good(`delivered${lastReply}`)
    case 'failed':
      return look.bad(`failed${lastReply}`)
  }
}
