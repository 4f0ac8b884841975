/**
 * One line of sendmail's log, taken apart.
 */

import type { ClientName } from '../../policy/decision.ts'

export type LogLine = {
  /** The process; one serves one connection. */
  readonly pid: string
  /** Null for lines about no message. */
  readonly queueId: string | null
  /** `from=<a>`, `ruleset=check_rcpt`, `STARTTLS=server`: what comes first, then the rest. */
  readonly first: string
  readonly fields: ReadonlyMap<string, string>
  /** What stands after the queue id. */
  readonly message: string
}

/** As syslog, rsyslog and journalctl write it. Null for another program's line. */
export function parseLogLine(line: string): LogLine | null {
  const [, program = '', pid = '', said = ''] = SYSLOG.exec(line) ?? []
  if (!/^(?:sm-|.*sendmail)/.test(program)) return null
  const rest = said.replace(/^\[ID \d+ \S+\] /, '')
  const [, queueId, message = rest] = /^(NOQUEUE|[A-Za-z0-9]{8,20}): (.*)$/.exec(rest) ?? []
  return {
    pid,
    queueId: queueId === undefined || queueId === 'NOQUEUE' ? null : queueId,
    first: /^([\w-]+)=/.exec(message)?.[1] ?? '',
    fields: fieldsOf(message),
    message,
  }
}

/** `<22>Nov 23 10:00:00 hub sm-mta[12]: `, with a time of either kind. */
const SYSLOG = /^(?:<\d+>)?(?:\d+ )?(?:[A-Z][a-z]{2} +\d+ [\d:.]+|\d{4}-\d\d-\d\dT\S+) \S+ ([\w./-]+)(?:\[(\d+)\])?: (.*)$/

function fieldsOf(message: string): ReadonlyMap<string, string> {
  // A value ends where ", name=" begins; addresses and names have no such thing in them.
  const parts = message.split(/, (?=[\w-]+=)/)
  return new Map(
    parts.flatMap(part => {
      const at = part.indexOf('=')
      return at <= 0 ? [] : [[part.slice(0, at), part.slice(at + 1).trim()] as const]
    }),
  )
}

export type LoggedClient = { readonly address: string; readonly name: ClientName }

/** `host.example [192.0.2.7] (may be forged)`. Null for what came by the sendmail command. */
export function parseRelay(relay: string | undefined): LoggedClient | null {
  const [, before = '', address, forged] = /^(.*?)\s*\[(?:IPv6:)?([0-9A-Fa-f.:]+)\](\s*\(may be forged\))?/i.exec(relay ?? '') ?? []
  if (address === undefined) return null
  const name = before.slice(before.indexOf('@') + 1).replace(/\.$/, '')
  if (name === '') return { address, name: { resolve: 'FAIL' } }
  return { address, name: forged === undefined ? { resolve: 'OK', name: name.toLowerCase() } : { resolve: 'FORGED' } }
}

/** `<a@b>,<c@d>` or one bare address. */
export function parseAddresses(list: string): readonly string[] {
  const inBrackets = [...list.matchAll(/<([^>]*)>/g)].map(([, address = '']) => address)
  return inBrackets.length > 0 ? inBrackets : list.split(',').map(address => address.trim()).filter(address => address !== '')
}
