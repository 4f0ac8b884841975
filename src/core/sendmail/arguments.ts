/**
 * The command line of /usr/sbin/sendmail, as forty years of programs write it.
 *
 * Letters stand alone (`-t -i`) or together (`-ti`); those with a value take what is left of their
 * word, or else the next one. What only a sendmail of its own could obey is read and has no effect;
 * what would mean another program than this one (`-bd`) is wrong usage, and says so.
 *
 * Programs put words of strangers here: recipients, and what PHP's mail() is given for -f. So the one
 * option that chooses whose relay is asked, --dir, counts in front of all others only.
 */

import type { NotifyOn } from '../message/envelope.ts'
import { encodeXtext } from '../message/xtext.ts'
import { fail, ok, type Result } from '../result.ts'

export type SendmailCall = {
  readonly mode: 'submit' | 'smtp' | 'listQueue' | 'runQueue'
  /** -t: recipients stand in the header. */
  readonly readsRecipients: boolean
  /** -i, -oi: a line with only a dot does not end the message. */
  readonly ignoresDots: boolean
  /** -v */
  readonly isVerbose: boolean
  /** -f, -r: the reverse-path as typed; null if it is not given. */
  readonly sender: string | null
  /** -F */
  readonly fullName: string | null
  /** -N: what to report of each recipient (RFC 3461 §4.1); [] for nothing, null for the usual. */
  readonly notify: readonly NotifyOn[] | null
  /** -R: how much of the message a report brings back. */
  readonly returned: 'FULL' | 'HDRS' | null
  /** -V: what the sender calls this message, in xtext. */
  readonly envelopeId: string | null
  readonly recipients: readonly string[]
  /** --dir, as the first word: where sendmail.toml is. */
  readonly directory: string | null
}

const NOTHING: SendmailCall = {
  mode: 'submit',
  readsRecipients: false,
  ignoresDots: false,
  isVerbose: false,
  sender: null,
  fullName: null,
  notify: null,
  returned: null,
  envelopeId: null,
  recipients: [],
  directory: null,
}

/** The words behind `postern sendmail`. The problem is a sentence. */
export function parseSendmailWords(words: readonly string[]): Result<SendmailCall, string> {
  const [first = '', second] = words
  if (first === '--dir') return second === undefined ? fail('--dir needs the name of a folder') : parseWords(words.slice(2), second)
  if (first.startsWith('--dir=')) return parseWords(words.slice(1), first.slice('--dir='.length))
  return parseWords(words, null)
}

function parseWords(words: readonly string[], directory: string | null): Result<SendmailCall, string> {
  let call: SendmailCall = { ...NOTHING, directory }
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '--') return ok({ ...call, recipients: [...call.recipients, ...words.slice(at + 1)] })
    if (word === '--dir' || word.startsWith('--dir=')) return fail('--dir counts directly behind "postern sendmail" only')
    if (word.startsWith('-') && word !== '-') {
      const read = readLetters(call, word, words[at + 1])
      if (!read.ok) return read
      call = read.value.call
      if (read.value.tookNext) at++
    } else {
      call = { ...call, recipients: [...call.recipients, word] }
    }
  }
  return ok(call)
}

type Read = { readonly call: SendmailCall; readonly tookNext: boolean }

/** One word of letters. */
function readLetters(before: SendmailCall, word: string, next: string | undefined): Result<Read, string> {
  let call = before
  for (let at = 1; at < word.length; at++) {
    const letter = word.charAt(at)
    const rest = word.slice(at + 1)
    if (WITH_OWN_REST.has(letter)) {
      const read = readWithRest(call, letter, rest)
      return read.ok ? ok({ call: read.value, tookNext: false }) : read
    }
    if (WITH_VALUE.has(letter)) {
      const value = rest === '' ? next : rest
      if (value === undefined) return fail(`-${letter} needs a value`)
      const read = withValue(call, letter, value)
      return read.ok ? ok({ call: read.value, tookNext: rest === '' }) : read
    }
    if (letter === 't') call = { ...call, readsRecipients: true }
    else if (letter === 'i') call = { ...call, ignoresDots: true }
    else if (letter === 'v') call = { ...call, isVerbose: true }
    else if (!WITHOUT_EFFECT.has(letter)) return fail(`unknown option -${letter}`)
  }
  return ok({ call, tookNext: false })
}

/** Options whose value, if they have one, stands in the same word. */
function readWithRest(call: SendmailCall, letter: string, rest: string): Result<SendmailCall, string> {
  if (letter === 'q') return ok({ ...call, mode: 'runQueue' })
  if (letter === 'o') return ok(rest.startsWith('i') ? { ...call, ignoresDots: true } : call)
  if (letter !== 'b') return ok(call)
  const mode = MODES[rest]
  return mode === undefined ? fail(`-b${rest} is for another program than this: mail is received and delivered by "postern run"`) : ok({ ...call, mode })
}

function withValue(call: SendmailCall, letter: string, value: string): Result<SendmailCall, string> {
  switch (letter) {
    case 'f':
    case 'r':
      return ok({ ...call, sender: value })
    case 'F':
      return ok({ ...call, fullName: value })
    case 'N':
      return withNotify(call, value.toUpperCase())
    case 'R': {
      const returned = value.toUpperCase()
      return returned === 'FULL' || returned === 'HDRS' ? ok({ ...call, returned }) : fail('-R is full or hdrs')
    }
    case 'V': {
      const envelopeId = CONTROL.test(value) ? '' : encodeXtext(value)
      // RFC 3461 §4.4: at most 100 characters.
      return envelopeId === '' || envelopeId.length > 100 ? fail('-V is an identifier of at most 100 characters') : ok({ ...call, envelopeId })
    }
    case 'O':
      return ok(/^ignoredots(?:=t|=y|$)/i.test(value) ? { ...call, ignoresDots: true } : call)
    default:
      return ok(call)
  }
}

function withNotify(call: SendmailCall, value: string): Result<SendmailCall, string> {
  if (value === 'NEVER') return ok({ ...call, notify: [] })
  const conditions = new Set(value.split(','))
  const notify = CONDITIONS.filter(condition => conditions.has(condition))
  return notify.length === conditions.size ? ok({ ...call, notify }) : fail('-N is never, or some of success, failure and delay with commas between')
}

const CONDITIONS = ['SUCCESS', 'FAILURE', 'DELAY'] as const satisfies readonly NotifyOn[]
const CONTROL = /\p{Cc}/u

const MODES: Readonly<Record<string, SendmailCall['mode']>> = { m: 'submit', s: 'smtp', p: 'listQueue' }
/** -A and -e: which configuration, how to report errors. -d: what to print for those who debug. */
const WITH_OWN_REST: ReadonlySet<string> = new Set('boqAed')
/** Those that are not in `withValue` name files, logs, hops and labels of sendmail's own. */
const WITH_VALUE: ReadonlySet<string> = new Set('frFBCDhLNOpRVX')
/** Aliases, "from a gateway", "first submission" and the like. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set('nmsGUE')
