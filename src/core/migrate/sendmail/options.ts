/**
 * sendmail's options, one by one: the setting that each becomes, or why none does.
 */

import { formatDuration, formatSize } from '../../time.ts'
import type { Draft } from '../draft.ts'
import { shown } from '../report.ts'
import type { Source } from '../report.ts'
import { PASSWORDS } from '../words.ts'
import { NOT_NEEDED, TO_DO } from './option-advice.ts'

/** What the other parts of the migration deal with, since it takes more than one option to know. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'DaemonPortOptions',
  'ServerCertFile',
  'ServerKeyFile',
  'ClientCertFile',
  'ClientKeyFile',
  'CACertFile',
  'CACertPath',
])

export function isElsewhere(option: string): boolean {
  return ELSEWHERE.has(option)
}

export function carryOption(draft: Draft, from: Source, name: string, value: string): void {
  const carry = CARRIED[name]
  if (carry !== undefined) return carry(draft, from, value)
  const todo = TO_DO.get(name)
  if (todo !== undefined) return draft.todo(from, todo)
  const unneeded = NOT_NEEDED.get(name) ?? NOT_NEEDED.get(name.replace(/\..*$/, '.*'))
  if (unneeded !== undefined) return draft.unneeded(from, unneeded)
  draft.todo(from, `sendmail has no option ${shown(name)} that is known here: look up what it does, and whether docs/reference/settings.md has it`)
}

type Carry = (draft: Draft, from: Source, value: string) => void

const CARRIED: { readonly [option: string]: Carry } = {
  MaxMessageSize: amount('limits.message-size', count => formatSize(count)),
  MaxRecipientsPerMessage: amount('limits.recipients', count => count),
  MaxDaemonChildren: amount('limits.connections', count => count),
  MaxHopCount: amount('limits.received-fields', count => count),
  MaxHeadersLength: amount('limits.header-size', count => formatSize(count)),
  'Timeout.queuereturn': time('queue.lifetime', 'd'),
  'Timeout.queuereturn.normal': time('queue.lifetime', 'd'),
  'Timeout.queuewarn': time('queue.delay-warning', 'h'),
  'Timeout.queuewarn.normal': time('queue.delay-warning', 'h'),
  'Timeout.command': time('limits.command-timeout', 'm'),
  'Timeout.datablock': time('limits.data-timeout', 'm'),
  'Timeout.connect': time('delivery.connect-timeout', 'm'),
  HeloName: (draft, from, value) => draft.set(from, 'delivery.helo', value),
  RunAsUser: account,
  AuthOptions: (draft, from) => draft.todo(from, PASSWORDS),
  AuthMechanisms: (draft, from) => draft.todo(from, PASSWORDS),
  ServerSSLOptions: protocols,
  DeliveryMode: (draft, from, value) =>
    /^[bi]/.test(value)
      ? draft.unneeded(from, 'Postern always queues and delivers at once')
      : draft.todo(from, 'Postern delivers as soon as it has accepted; hold mail back with "postern queue hold" if it must wait'),
}

function account(draft: Draft, from: Source, value: string): void {
  const name = value.split(/[:.]/)[0]?.trim() ?? ''
  if (/^\d*$/.test(name)) return draft.todo(from, 'Postern wants the name of the account: user')
  draft.set(from, 'user', name, 'the processes that read mail; the supervisor keeps the account it was started with')
}

/** A number; 0 is "no limit", which Postern does not have. */
function amount(setting: string, form: (count: number) => string | number): Carry {
  return (draft, from, value) => {
    const count = Number.parseInt(value, 10)
    if (count > 0) return draft.set(from, setting, form(count))
    draft.todo(from, `without a limit in sendmail; Postern limits everything: look at ${setting} in docs/reference/settings.md and raise it if the default is too low`)
  }
}

/** `unit` is what a bare number counts. */
function time(setting: string, unit: keyof typeof SECONDS): Carry {
  return (draft, from, value) => {
    const seconds = sendmailTime(value, unit)
    if (seconds === null) return draft.todo(from, `"${shown(value)}" is no time that sendmail knows; set ${setting} yourself`)
    if (seconds > 0) return draft.set(from, setting, formatDuration(seconds))
    if (setting === 'queue.delay-warning') return draft.set(from, setting, 'never')
    draft.todo(from, `no limit in sendmail; Postern has one: ${setting}`)
  }
}

/** `5d`, `4h30m`, `90`. */
export function sendmailTime(text: string, unit: keyof typeof SECONDS): number | null {
  if (!/^(?:\d+[smhdw]?)+$/i.test(text)) return null
  let seconds = 0
  for (const [, count, given] of text.matchAll(/(\d+)([smhdw]?)/gi)) {
    seconds += Number(count) * SECONDS[isUnit(given?.toLowerCase() ?? '') ?? unit]
  }
  return Number.isSafeInteger(seconds) ? seconds : null
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const

function isUnit(letter: string): keyof typeof SECONDS | null {
  return letter in SECONDS ? (letter as keyof typeof SECONDS) : null
}

function protocols(draft: Draft, from: Source, value: string): void {
  if (/SSL_OP_NO_TLSv1_2\b/i.test(value) && !/-\s*SSL_OP_NO_TLSv1_2\b/i.test(value)) return draft.set(from, 'tls.min-version', '1.3')
  draft.unneeded(from, 'Postern speaks TLS 1.2 and 1.3 only, with the ciphers and key exchanges of its OpenSSL')
}
