/**
 * ESMTP parameters of MAIL and RCPT (RFC 5321 §4.1.2), and what each extension of ours says of its own.
 *
 * A parameter is accepted only if it does something here. RFC 5321 §4.1.1.11: one that is not known
 * is refused with 555, because the client meant something by it.
 */

import type { BodyType } from '../message/envelope.ts'
import { fail, ok, type Result } from '../result.ts'

export type MailParameters = {
  /** SIZE (RFC 1870), or null. */
  readonly sizeBytes: number | null
  /** BODY (RFC 6152, RFC 3030 §3). */
  readonly bodyType: BodyType
  /** SMTPUTF8 (RFC 6531). */
  readonly utf8: boolean
}

export type ParameterProblem =
  | { readonly kind: 'unknownParameter'; readonly keyword: string }
  | { readonly kind: 'badParameter'; readonly detail: string }

const NONE: MailParameters = { sizeBytes: null, bodyType: '7BIT', utf8: false }

/** What follows the reverse-path, without the blank in between. */
export function parseMailParameters(text: string): Result<MailParameters, ParameterProblem> {
  if (text === '') return ok(NONE)
  const split = splitParameters(text)
  if (!split.ok) return split
  let parameters = NONE
  for (const [keyword, value] of split.value) {
    switch (keyword) {
      case 'SIZE':
        // RFC 1870 §6.1: up to 20 digits. Beyond exact integers only "too big" matters.
        if (!/^[0-9]{1,20}$/.test(value ?? '')) return bad('SIZE is a number of octets')
        parameters = { ...parameters, sizeBytes: Number(value) }
        break
      case 'BODY': {
        const bodyType = value?.toUpperCase()
        if (bodyType !== '7BIT' && bodyType !== '8BITMIME' && bodyType !== 'BINARYMIME') return bad('BODY is 7BIT, 8BITMIME or BINARYMIME')
        parameters = { ...parameters, bodyType }
        break
      }
      case 'SMTPUTF8':
        if (value !== null) return bad('SMTPUTF8 takes no value')
        parameters = { ...parameters, utf8: true }
        break
      case 'AUTH':
        // RFC 4954 §5: who submitted the message first. We vouch for nobody and pass on nothing of it.
        if (value === null || !AUTH_VALUE.test(value)) return bad('AUTH is <> or a mailbox in xtext')
        break
      default:
        return fail({ kind: 'unknownParameter', keyword })
    }
  }
  return ok(parameters)
}

/** What follows the forward-path. No extension of ours has a parameter for it yet. */
export function parseRcptParameters(text: string): Result<null, ParameterProblem> {
  if (text === '') return ok(null)
  const split = splitParameters(text)
  if (!split.ok) return split
  const [keyword = ''] = split.value.keys()
  return fail({ kind: 'unknownParameter', keyword })
}

function splitParameters(text: string): Result<ReadonlyMap<string, string | null>, ParameterProblem> {
  const parameters = new Map<string, string | null>()
  for (const parameter of text.split(' ')) {
    const match = PARAMETER.exec(parameter)
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

/** RFC 5321 §4.1.2: esmtp-param. */
const PARAMETER = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~]+))?$/
/** RFC 3461 §4: xtext is printable ASCII without `+` and `=`, but for `+` and two hexadecimal digits. */
const AUTH_VALUE = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})+$/
