/**
 * ESMTP parameters of MAIL and RCPT (RFC 5321 §4.1.2), and what each extension of ours says of its own.
 *
 * A parameter is accepted only if it does something here. RFC 5321 §4.1.1.11: one that is not known
 * is refused with 555, because the client meant something by it.
 */

import type { BodyType, DeliverBy, EnvelopeRecipient, Hold, NotifyOn } from '../message/envelope.ts'
import { toAsciiForm } from '../message/utf8-address.ts'
import { decodeXtext } from '../message/xtext.ts'
import { fail, ok, type Result } from '../result.ts'

export type MailParameters = {
  /** SIZE (RFC 1870), or null. */
  readonly sizeBytes: number | null
  /** BODY (RFC 6152, RFC 3030 §3). */
  readonly bodyType: BodyType
  /** SMTPUTF8 (RFC 6531). */
  readonly utf8: boolean
  /** REQUIRETLS (RFC 8689 §2). */
  readonly tls: 'required' | null
  /** RET (RFC 3461 §4.3): how much of the message a report of failure brings back; null if it was not said. */
  readonly returned: 'FULL' | 'HDRS' | null
  /** ENVID (RFC 3461 §4.4), in xtext as it came, or null. */
  readonly envelopeId: string | null
  /** BY (RFC 2852 §4). */
  readonly deliverBy: DeliverBy | null
  /** HOLDFOR and HOLDUNTIL (RFC 4865 §4). */
  readonly hold: Hold | null
  /** MT-PRIORITY (RFC 6710 §4). */
  readonly priority: number
}

export type RcptParameters = Omit<EnvelopeRecipient, 'forwardPath'>

export type ParameterProblem =
  | { readonly kind: 'unknownParameter'; readonly keyword: string }
  | { readonly kind: 'badParameter'; readonly detail: string }

export const NO_MAIL_PARAMETERS: MailParameters = {
  sizeBytes: null,
  bodyType: '7BIT',
  utf8: false,
  tls: null,
  returned: null,
  envelopeId: null,
  deliverBy: null,
  hold: null,
  priority: 0,
}
export const NO_RCPT_PARAMETERS: RcptParameters = { notify: null, originalRecipient: null }

/** What follows the reverse-path, without the blank in between. */
export function parseMailParameters(text: string): Result<MailParameters, ParameterProblem> {
  if (/(?:^| )HOLDFOR=.* HOLDUNTIL=|(?:^| )HOLDUNTIL=.* HOLDFOR=/i.test(text)) return bad('HOLDFOR and HOLDUNTIL exclude each other')
  return parseParameters(text, MAIL_PARAMETERS, NO_MAIL_PARAMETERS)
}

/** What follows the forward-path. */
export function parseRcptParameters(text: string): Result<RcptParameters, ParameterProblem> {
  return parseParameters(text, RCPT_PARAMETERS, NO_RCPT_PARAMETERS)
}

/** From a value, null if there is none, to what it sets; or a sentence that says what it should be. */
type Parser<Parameters> = (value: string | null) => Partial<Parameters> | string

function parseParameters<Parameters>(
  text: string,
  known: ReadonlyMap<string, Parser<Parameters>>,
  none: Parameters,
): Result<Parameters, ParameterProblem> {
  if (text === '') return ok(none)
  const split = splitParameters(text)
  if (!split.ok) return split
  let parameters = none
  for (const [keyword, value] of split.value) {
    const parse = known.get(keyword)
    if (parse === undefined) return fail({ kind: 'unknownParameter', keyword })
    const parsed = parse(value)
    if (typeof parsed === 'string') return bad(parsed)
    parameters = { ...parameters, ...parsed }
  }
  return ok(parameters)
}

const MAIL_PARAMETERS: ReadonlyMap<string, Parser<MailParameters>> = new Map<string, Parser<MailParameters>>([
  // RFC 1870 §6.1: up to 20 digits. Beyond exact integers only "too big" matters.
  ['SIZE', value => (/^[0-9]{1,20}$/.test(value ?? '') ? { sizeBytes: Number(value) } : 'SIZE is a number of octets')],
  ['BODY', parseBody],
  ['SMTPUTF8', value => (value === null ? { utf8: true } : 'SMTPUTF8 takes no value')],
  ['REQUIRETLS', value => (value === null ? { tls: 'required' } : 'REQUIRETLS takes no value')],
  // RFC 4954 §5: who submitted the message first. We vouch for nobody and pass on nothing of it.
  ['AUTH', value => (value !== null && XTEXT.test(value) ? {} : 'AUTH is <> or a mailbox in xtext')],
  ['RET', parseRet],
  ['ENVID', value => (isXtextOf(value, ENVID_LIMIT) ? { envelopeId: value } : `ENVID is xtext of ${ENVID_LIMIT} characters at the most`)],
  ['BY', parseBy],
  ['HOLDFOR', value => (/^[1-9][0-9]{0,8}$/.test(value ?? '') ? { hold: { kind: 'for', seconds: Number(value) } } : 'HOLDFOR is a number of seconds')],
  ['HOLDUNTIL', parseHoldUntil],
  ['MT-PRIORITY', value => (/^(?:[0-9]|-[1-9])$/.test(value ?? '') ? { priority: Number(value) } : 'MT-PRIORITY is a number from -9 to 9')],
])

const RCPT_PARAMETERS: ReadonlyMap<string, Parser<RcptParameters>> = new Map<string, Parser<RcptParameters>>([
  ['NOTIFY', parseNotify],
  ['ORCPT', parseOrcpt],
])

function parseBody(value: string | null): Partial<MailParameters> | string {
  const bodyType = value?.toUpperCase()
  if (bodyType === '7BIT' || bodyType === '8BITMIME' || bodyType === 'BINARYMIME') return { bodyType }
  return 'BODY is 7BIT, 8BITMIME or BINARYMIME'
}

function parseRet(value: string | null): Partial<MailParameters> | string {
  const returned = value?.toUpperCase()
  return returned === 'FULL' || returned === 'HDRS' ? { returned } : 'RET is FULL or HDRS'
}

/** RFC 2852 §4: `by-time;by-mode`. What is to be returned when its time is over must have some. */
function parseBy(value: string | null): Partial<MailParameters> | string {
  const [, time, mode = '', trace] = BY.exec(value ?? '') ?? []
  if (time === undefined) return 'BY is seconds;R or seconds;N, with a T behind it if every relay is to report'
  const seconds = Number(time)
  if (mode.toUpperCase() === 'R' && seconds <= 0) return 'BY with R is a positive number of seconds'
  return { deliverBy: { seconds, mode: mode.toUpperCase() === 'R' ? 'return' : 'notify', trace: trace !== '' } }
}

/** RFC 4865 §4: an instant as RFC 3339 writes it. */
function parseHoldUntil(value: string | null): Partial<MailParameters> | string {
  const text = (value ?? '').toUpperCase()
  const at = INSTANT.test(text) && isDay(text.slice(0, 10)) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? 'HOLDUNTIL is an instant such as 2027-01-31T08:00:00Z' : { hold: { kind: 'until', at } }
}

/** `Date` makes the second of March of the thirtieth of February. */
function isDay(day: string): boolean {
  const midnight = Date.parse(`${day}T00:00:00Z`)
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day)
}

/** RFC 3461 §4.1. A condition that is named twice is meant once. */
function parseNotify(value: string | null): Partial<RcptParameters> | string {
  const conditions = (value ?? '').toUpperCase().split(',')
  if (conditions.length === 1 && conditions[0] === 'NEVER') return { notify: [] }
  if (!conditions.every(isCondition)) return 'NOTIFY is NEVER, or a list of SUCCESS, FAILURE and DELAY'
  return { notify: NOTIFY_CONDITIONS.filter(condition => conditions.includes(condition)) }
}

/** RFC 3461 §4.2, RFC 6533 §3: the type of the address, and the address in xtext. */
function parseOrcpt(value: string | null): Partial<RcptParameters> | string {
  const semicolon = value?.indexOf(';') ?? -1
  const type = value?.slice(0, semicolon) ?? ''
  const given = value?.slice(semicolon + 1) ?? ''
  const address = type.toLowerCase() === 'utf-8' ? toAsciiForm(given) : given
  const isWhole = semicolon > 0 && ADDRESS_TYPE.test(type) && isXtextOf(address, ORCPT_LIMIT)
  return isWhole ? { originalRecipient: `${type};${address}` } : `ORCPT is type;address, the address in xtext of ${ORCPT_LIMIT} characters at the most`
}

/** What it stands for is one line of text: it goes into a field of a report. */
function isXtextOf(value: string | null, limit: number): boolean {
  return value !== null && value.length <= limit && XTEXT.test(value) && decodeXtext(value) !== null
}

function isCondition(text: string): text is NotifyOn {
  return (NOTIFY_CONDITIONS as readonly string[]).includes(text)
}

function splitParameters(text: string): Result<ReadonlyMap<string, string | null>, ParameterProblem> {
  const parameters = new Map<string, string | null>()
  for (const parameter of text.split(' ')) {
    const match = PARAMETER.exec(parameter) ?? UTF8_ORCPT.exec(parameter)
    if (match === null) return bad('a parameter is KEYWORD or KEYWORD=value, with one blank before it')
    const keyword = (match[1] ?? '').toUpperCase()
    if (parameters.has(keyword)) return bad(`${keyword} was given twice`)
    parameters.set(keyword, match[2] ?? null)
  }
  return ok(parameters)
}

function bad(detail: string): { readonly ok: false; readonly problem: ParameterProblem } {
  return fail({ kind: 'badParameter', detail })
}

const NOTIFY_CONDITIONS = ['SUCCESS', 'FAILURE', 'DELAY'] as const satisfies readonly NotifyOn[]
/** RFC 3461 §4.4 and §5.4. */
const ENVID_LIMIT = 100
/** RFC 3461 §4.2. */
const ORCPT_LIMIT = 500

/** RFC 2852 §4: at most nine digits. */
const BY = /^([+-]?[0-9]{1,9});([RN])(T?)$/i
const INSTANT = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|\+[0-9]{2}:[0-9]{2}|-[0-9]{2}:[0-9]{2})$/

/** RFC 5321 §4.1.2: esmtp-param. */
const PARAMETER = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~]+))?$/
/** RFC 6533 §3: the one parameter that may hold more than ASCII. */
const UTF8_ORCPT = /^(ORCPT)=(utf-8;[!-<>-~\u0080-\uffff]+)$/i
/** RFC 3461 §4: xtext is printable ASCII without `+` and `=`, but for `+` and two hexadecimal digits. */
const XTEXT = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})+$/
/** RFC 3461 §4.2: an atom, such as `rfc822` or `utf-8`. */
const ADDRESS_TYPE = /^[A-Za-z0-9!#$%&'*/?^_\x60{|}~-]{1,40}$/
