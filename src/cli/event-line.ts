/** A line of the log as `postern up` shows it to a person; null for what a person need not see. */

import { visible, type Look } from './output.ts'

export type LogLine = { readonly [field: string]: unknown }

export function eventLine(line: LogLine, explain: (id: string) => string, look: Look): string | null {
  const text = eventText(line, explain, look)
  if (text === null) return null
  const time = typeof line['time'] === 'string' ? new Date(line['time']).toLocaleTimeString('en-GB') : ''
  return `${look.dim(time)}  ${text}`
}

function eventText(line: LogLine, explain: (id: string) => string, look: Look): string | null {
  const field = (name: string): string => visible(String(line[name] ?? ''))
  const word = (mark: (text: string) => string, text: string): string => mark(text.padEnd(9))
  const message = field('message')
  switch (line['event']) {
    case 'accepted':
      return `${word(look.good, 'accepted')}  ${message} from <${field('from')}> by ${line['holder'] === undefined ? field('client') : `${field('holder')} (certificate)`}`
    case 'delivered':
      return `${word(look.good, 'delivered')}  ${message} to <${field('to')}>: ${field('said')}`
    case 'deferred':
      return `${word(look.warn, 'deferred')}  ${message} to <${field('to')}>: ${field('said')}; next attempt ${field('nextAttempt')}`
    case 'failed':
      return line['to'] === undefined
        ? `${word(look.bad, 'failed')}  ${field('what')}: ${field('error')}`
        : `${word(look.bad, 'failed')}  ${message} to <${field('to')}>: ${field('said')}`
    case 'refused':
      return `${word(look.bad, 'refused')}  ${field('reply')} (client ${field('client')})\n${' '.repeat(21)}why: ${look.bold(explain(String(line['id'])))}`
    case 'rejected':
      return `${word(look.bad, 'rejected')}  ${field('reply')}${line['from'] === undefined ? '' : ` (message from <${field('from')}>)`}`
    case 'kept':
      return `${word(look.good, 'kept')}  ${field('file')}`
    case 'notice':
      return `${word(look.warn, 'notice')}  ${field('kind')} about ${message} to <${field('to')}>`
    case 'stopping':
      return 'Stopping: sessions and deliveries under way finish first.'
    default:
      return line['level'] === 'info' ? null : otherText(line, look)
  }
}

/** Any other warning or error, with all it says. */
function otherText(line: LogLine, look: Look): string {
  const known = new Set(['level', 'time', 'process', 'pid', 'event'])
  const rest = Object.entries(line).filter(([name]) => !known.has(name))
  const facts = rest.map(([name, value]) => `${name} ${visible(typeof value === 'string' ? value : JSON.stringify(value))}`)
  const mark = line['level'] === 'error' ? look.bad : look.warn
  return `${mark(visible(String(line['event'])).padEnd(9))}  ${facts.join(', ')}`
}
