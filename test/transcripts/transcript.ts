/**
 * Reads transcripts: conversations in the notation of the RFCs, with lines for what text cannot show.
 *
 *     # a comment
 *     C: a line from the client, sent with CRLF; {a*600} stands for 600 times `a`
 *     C~ "octets from the client, as a JSON string and without CRLF"
 *     S: a line from the server
 *     * something that happens: see play.ts
 *
 * Lines of the client that follow each other are sent in one go, as pipelining clients do.
 */

export type Step =
  /** `octets` is what all the lines together send. */
  | { readonly kind: 'client'; readonly lines: readonly string[]; readonly octets: Buffer }
  | { readonly kind: 'server'; readonly line: string }
  | { readonly kind: 'event'; readonly line: string; readonly words: string }
  | { readonly kind: 'note'; readonly line: string }

export function parseTranscript(source: string): readonly Step[] {
  const steps: Step[] = []
  for (const line of source.trimEnd().split('\n')) {
    const octets = clientOctets(line)
    const before = steps.at(-1)
    if (octets === null) steps.push(otherStep(line))
    else if (before?.kind !== 'client') steps.push({ kind: 'client', lines: [line], octets })
    else steps[steps.length - 1] = { kind: 'client', lines: [...before.lines, line], octets: Buffer.concat([before.octets, octets]) }
  }
  return steps
}

function otherStep(line: string): Step {
  if (line.startsWith('S: ')) return { kind: 'server', line }
  if (line.startsWith('* ')) return { kind: 'event', line, words: line.slice(2) }
  if (line === '' || line.startsWith('#')) return { kind: 'note', line }
  throw new Error(`not a line of a transcript: ${line}`)
}

function clientOctets(line: string): Buffer | null {
  if (line === 'C:') return Buffer.from('\r\n')
  if (line.startsWith('C: ')) return Buffer.from(`${repeated(line.slice(3))}\r\n`)
  if (line.startsWith('C~ ')) return Buffer.from(JSON.parse(line.slice(3)), 'latin1')
  return null
}

function repeated(text: string): string {
  return text.replaceAll(/\{(.)\*(\d+)\}/g, (_, letter: string, count: string) => letter.repeat(Number(count)))
}
