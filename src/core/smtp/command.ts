/**
 * Command lines (RFC 5321 §4.1.1): one line without its CRLF, read into a command that can be trusted
 * to have the form its section gives it.
 *
 * Strict where a guess could mean another address or another command; tolerant where RFC 5321 §4.1.1
 * or long practice asks for it, and there only: blanks at the end of a line, and after `FROM:` or `TO:`.
 */

import { fail, ok, type Result } from '../result.ts'
import type { Chunk } from './chunk-reader.ts'
import { parseEtrn, type EtrnArgument } from './etrn.ts'
import type { Line } from './line-reader.ts'
import { parseMailParameters, parseRcptParameters, type MailParameters, type ParameterProblem, type RcptParameters } from './parameters.ts'
import { parsePath, type Path, type PathProblem } from './path.ts'

export type Command =
  | { readonly verb: 'EHLO' | 'HELO' | 'LHLO'; readonly name: string }
  | { readonly verb: 'MAIL'; readonly path: Path; readonly parameters: MailParameters }
  | { readonly verb: 'RCPT'; readonly path: Path; readonly parameters: RcptParameters }
  /** `initialResponse` as RFC 4954 §4 has it: base64, `=` for none of any length, null if it was not given. */
  | { readonly verb: 'AUTH'; readonly mechanism: string; readonly initialResponse: string | null }
  | { readonly verb: 'BDAT'; readonly chunk: Chunk }
  /** Its form is its own (core/peers/xclient.ts). */
  | { readonly verb: 'XCLIENT'; readonly argument: string }
  | { readonly verb: 'STARTTLS' | 'DATA' | 'RSET' | 'NOOP' | 'QUIT' | 'VRFY' }
  | { readonly verb: 'HELP'; readonly topic: string }
  | { readonly verb: 'ETRN'; readonly argument: EtrnArgument }

export type Verb = Command['verb']

export type CommandProblem =
  | { readonly kind: 'tooLong' }
  | { readonly kind: 'unprintable' }
  | { readonly kind: 'unknownCommand' }
  | { readonly kind: 'notImplemented' }
  /** The other side speaks HTTP: somebody's browser was made to send us something. */
  | { readonly kind: 'notSmtp' }
  /** BDAT without a size that can be read: nobody knows how many octets behind it are no commands. */
  | { readonly kind: 'badChunk' }
  | { readonly kind: 'badSyntax'; readonly expected: string }
  | { readonly kind: 'badPath'; readonly verb: 'MAIL' | 'RCPT'; readonly problem: PathProblem }
  | ParameterProblem

/** RFC 4954 §4.5.3.1: lines of an authentication exchange. No command line is longer. */
export const LONGEST_LINE_OCTETS = 12_288

/** `read` is octets as they came (latin1); only a command that holds UTF-8 is decoded as such. */
export function parseCommand(read: Exclude<Line, { kind: 'bareLineEnd' }>): Result<Command, CommandProblem> {
  if (read.kind === 'tooLong') return fail({ kind: 'tooLong' })
  const line = read.text
  const blank = line.indexOf(' ')
  const verb = (blank === -1 ? line : line.slice(0, blank)).toUpperCase()
  if (verb === 'BDAT') return parseBdat(line)
  if (line.length + 2 > (LINE_LIMITS.get(verb) ?? LINE_LIMIT_OCTETS)) return fail({ kind: 'tooLong' })
  const text = PRINTABLE.test(line) ? line : decodeUtf8(line)
  if (text === null) return fail({ kind: 'unprintable' })
  // RFC 5321 §4.1.1: blanks before the CRLF are to be tolerated.
  const argument = blank === -1 ? '' : text.slice(blank + 1).trimEnd()
  switch (verb) {
    case 'EHLO':
    case 'HELO':
    case 'LHLO':
      return parseHello(verb, argument)
    case 'MAIL':
      return parseMail(argument)
    case 'RCPT':
      return parseRcpt(argument)
    case 'AUTH':
      return parseAuth(argument)
    case 'DATA':
    case 'RSET':
    case 'QUIT':
    case 'STARTTLS':
      // RFC 5321 §4.3.2, RFC 3207 §4: these take no argument.
      return argument === '' ? ok({ verb }) : badSyntax(verb)
    case 'NOOP':
      return ok({ verb })
    case 'HELP':
      return ok({ verb, topic: argument })
    case 'ETRN':
      return parseEtrnCommand(argument)
    case 'XCLIENT':
      return ok({ verb, argument })
    case 'VRFY':
      return argument === '' ? badSyntax('VRFY mailbox') : ok({ verb })
    default:
      return fail({ kind: NOT_IMPLEMENTED.has(verb) ? 'notImplemented' : HTTP_METHODS.has(verb) ? 'notSmtp' : 'unknownCommand' })
  }
}

/**
 * RFC 5321 §4.1.1.1. Deviates: any word is taken for a name. §4.1.4 forbids to refuse a client because
 * its name does not check out, and names with underscores or brackets come from honest machines. It
 * proves nothing, and trace.ts is careful with it.
 */
function parseHello(verb: 'EHLO' | 'HELO' | 'LHLO', argument: string): Result<Command, CommandProblem> {
  if (!HELLO_NAME.test(argument)) return badSyntax(`${verb} hostname`)
  return ok({ verb, name: argument })
}

/** RFC 5321 §4.1.1.2. */
function parseMail(argument: string): Result<Command, CommandProblem> {
  const parts = splitPath(argument, 'FROM:')
  if (parts === null) return badSyntax('MAIL FROM:<address>')
  const path = parsePath(parts.path)
  if (!path.ok) return fail({ kind: 'badPath', verb: 'MAIL', problem: path.problem })
  const parameters = parseMailParameters(parts.parameters)
  if (!parameters.ok) return parameters
  return ok({ verb: 'MAIL', path: path.value, parameters: parameters.value })
}

/** RFC 5321 §4.1.1.3. */
function parseRcpt(argument: string): Result<Command, CommandProblem> {
  const parts = splitPath(argument, 'TO:')
  if (parts === null) return badSyntax('RCPT TO:<address>')
  const path = parsePath(parts.path)
  if (!path.ok) return fail({ kind: 'badPath', verb: 'RCPT', problem: path.problem })
  if (path.value.address === '') return fail({ kind: 'badPath', verb: 'RCPT', problem: { detail: 'it is empty' } })
  const parameters = parseRcptParameters(parts.parameters)
  if (!parameters.ok) return parameters
  return ok({ verb: 'RCPT', path: path.value, parameters: parameters.value })
}

/** RFC 3030 §2. Zeros in front are decimal digits like any other; a number of SIZE's length is long enough for any size. */
function parseBdat(line: string): Result<Command, CommandProblem> {
  const [match, size, last] = BDAT.exec(line) ?? [null]
  if (match === null || line.length + 2 > LINE_LIMIT_OCTETS) return fail({ kind: 'badChunk' })
  return ok({ verb: 'BDAT', chunk: { sizeOctets: Number(size), isLast: last !== undefined } })
}

/** RFC 1985 §5. */
function parseEtrnCommand(text: string): Result<Command, CommandProblem> {
  const argument = parseEtrn(text)
  return argument === null ? badSyntax('ETRN domain') : ok({ verb: 'ETRN', argument })
}

/** RFC 4954 §4: mechanism names are RFC 4422 §3.1's. The response is judged by the mechanism. */
function parseAuth(argument: string): Result<Command, CommandProblem> {
  const [mechanism = '', initialResponse = null, ...more] = argument.split(' ')
  if (!MECHANISM.test(mechanism) || more.length > 0) return badSyntax('AUTH mechanism [initial-response]')
  return ok({ verb: 'AUTH', mechanism: mechanism.toUpperCase(), initialResponse })
}

/**
 * `FROM:<path> parameters` to its parts. Deviates: blanks after the colon, which RFC 5321 §3.3 does not
 * permit, are what many devices send, and cannot be mistaken for anything.
 */
function splitPath(argument: string, keyword: 'FROM:' | 'TO:'): { readonly path: string; readonly parameters: string } | null {
  if (argument.slice(0, keyword.length).toUpperCase() !== keyword) return null
  const rest = argument.slice(keyword.length).trimStart()
  if (rest === '') return null
  const end = endOfPath(rest)
  if (end === rest.length) return { path: rest, parameters: '' }
  return rest[end] === ' ' ? { path: rest.slice(0, end), parameters: rest.slice(end + 1) } : { path: rest, parameters: '' }
}

/** After the `>` that is not within quotation marks, or where the text or a path without `>` ends. */
function endOfPath(text: string): number {
  let inQuotes = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '\\') at++
    else if (character === '"') inQuotes = !inQuotes
    else if (character === '>' && !inQuotes) return at + 1
  }
  return text.length
}

function badSyntax(expected: string): { readonly ok: false; readonly problem: CommandProblem } {
  return fail({ kind: 'badSyntax', expected })
}

/** RFC 6531 §3.1 lets UTF-8 into commands. Null if the octets are something else, or a control character. */
function decodeUtf8(latin1: string): string | null {
  try {
    const text = UTF8.decode(Buffer.from(latin1, 'latin1'))
    return CONTROL.test(text) ? null : text
  } catch {
    return null
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const PRINTABLE = /^[ -~]*$/
const CONTROL = /\p{Cc}/u
const HELLO_NAME = /^[!-~]{1,255}$/
const BDAT = /^BDAT ([0-9]{1,20})( LAST)? *$/i
const MECHANISM = /^[A-Za-z0-9_-]{1,20}$/

/** RFC 5321 §4.5.3.1.4, with the CRLF. */
const LINE_LIMIT_OCTETS = 512
/**
 * What extensions add: RFC 1870 §3, RFC 6152 §2, RFC 6531 §3.1, and RFC 4954 §3 for AUTH and for `AUTH=`. For the
 * others it is what each parameter takes up at its longest, with the blank before it (parameters.ts): RET, ENVID, BY,
 * HOLDUNTIL, MT-PRIORITY and REQUIRETLS, NOTIFY and ORCPT. A client may use them all.
 */
const LINE_LIMITS: ReadonlyMap<string, number> = new Map([
  ['MAIL', LINE_LIMIT_OCTETS + 26 + 17 + 10 + 500 + 9 + 107 + 17 + 46 + 15 + 11],
  ['RCPT', LINE_LIMIT_OCTETS + 10 + 29 + 548],
  ['AUTH', LONGEST_LINE_OCTETS],
])

/** Commands of RFC 5321 and its forerunners that we know and do not do (§4.2.4, Appendix F). */
const NOT_IMPLEMENTED: ReadonlySet<string> = new Set(['EXPN', 'SEND', 'SOML', 'SAML', 'TURN'])
const HTTP_METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'CONNECT', 'DELETE', 'PATCH', 'TRACE', 'PRI'])
